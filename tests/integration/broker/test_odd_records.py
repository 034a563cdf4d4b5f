"""One record of each odd kind, sent by a plain producer: each is in raw_events, and the stream goes on."""

import subprocess
import time
from datetime import UTC, datetime, timedelta

import pytest
import zstandard
from kafka import KafkaProducer
from kafka.record import default_records

from stack.services import MAGE_PYTHON
from tests.integration.broker.stream import Coordinate, StreamStack
from tests.waiting import wait_until

SECRET = "jane.doe@example.com"
MIB = 1 << 20


@pytest.fixture(scope="module")
def producer(stream: StreamStack) -> KafkaProducer:
    return stream.producer()


def send(
    producer: KafkaProducer,
    topic: str,
    value: bytes | None,
    headers: list[tuple[str, bytes]] | None = None,
    timestamp_ms: int | None = None,
) -> Coordinate:
    sent = producer.send(topic, value, key=b"any", headers=headers, timestamp_ms=timestamp_ms).get(timeout=60)
    return f"{sent.topic}/{sent.partition}", sent.offset


def stored_rows(stream: StreamStack, coordinate: Coordinate) -> list[tuple[str, int, str, str]]:
    wait_until(lambda: bool(stream.rows(coordinate)), f"{coordinate} is stored")
    return stream.rows(coordinate)


ODD = {
    "an_object": (b' {"a": 1}\n', [("broker", 0, '{"a": 1}', "")]),
    "an_array": (b'[{"a":1} , {"b":2}]', [("broker", 0, '{"a":1}', ""), ("broker", 1, '{"b":2}', "")]),
    "an_array_of_other_things": (b'[1,"x"]', [("broker", 0, "1", ""), ("broker", 1, '"x"', "")]),
    "a_number": (b"5", [("broker", 0, "5", "")]),
    "not_json": (f"hello {SECRET}".encode(), [("broker", 0, f"hello {SECRET}", "invalid_json")]),
    "broken_off": (b'[{"a":1},{"b"', [("broker", 0, '[{"a":1},{"b"', "invalid_json")]),
    "empty": (b"", [("broker", 0, "", "invalid_json")]),
    "a_tombstone": (None, [("broker", 0, "", "invalid_json")]),
    "not_utf8": (b'{"a":"\xff"}', [("broker", 0, '{"a":"\\xff"}', "invalid_encoding")]),
    "nested_without_end": (b"[" * 50_000, [("broker", 0, "[" * 50_000, "invalid_json")]),
    "a_large_item": (
        b'["' + b"x" * (2 * MIB) + b'",{}]',
        [("broker", 0, '"' + "x" * 4095, "too_large"), ("broker", 1, "{}", "")],
    ),
    "huge": (b"[" + b" " * (11 * MIB) + b"]", [("broker", 0, "[" + " " * 4095, "too_large")]),
}


@pytest.mark.parametrize(("value", "rows"), ODD.values(), ids=ODD)
def test_an_odd_record_becomes_rows(
    stream: StreamStack,
    producer: KafkaProducer,
    value: bytes | None,
    rows: list[tuple[str, int, str, str]],
) -> None:
    assert stored_rows(stream, send(producer, stream.broker.topic, value)) == rows


def test_an_empty_array_is_passed_by(stream: StreamStack, producer: KafkaProducer) -> None:
    coordinate = send(producer, stream.broker.topic, b"[]")

    stream.wait_for_idle()

    assert stream.rows(coordinate) == []


@pytest.mark.parametrize(
    ("header", "source"),
    [(b"http", "http"), (b"tracker", "tracker"), (b"csv", "broker"), (b"\xff", "broker"), (b"", "broker")],
)
def test_the_header_says_the_source(
    stream: StreamStack, producer: KafkaProducer, header: bytes, source: str
) -> None:
    coordinate = send(producer, stream.broker.topic, b"{}", [("source", header), ("other", b"x")])

    assert stored_rows(stream, coordinate) == [(source, 0, "{}", "")]


class RawName(str):
    """The name of a header that is sent as bytes that are not UTF-8."""

    def encode(self, *_: object) -> bytes:
        return b"so\xffurce"


def test_a_header_name_that_is_no_text_stops_nothing(stream: StreamStack, producer: KafkaProducer) -> None:
    headers = [("source", b"http"), (RawName("name"), b"\xff"), ("other", b"x")]
    odd = send(producer, stream.broker.topic, b'{"odd":"name"}', headers)
    after = send(producer, stream.broker.topic, b'{"after":"it"}')

    assert stored_rows(stream, odd) == [("http", 0, '{"odd":"name"}', "")]
    assert stored_rows(stream, after) == [("broker", 0, '{"after":"it"}', "")]


def test_rejected_events_are_raw_events_as_well(stream: StreamStack, producer: KafkaProducer) -> None:
    coordinate = send(producer, stream.broker.rejected_topic, b'[{"type":5}]', [("source", b"http")])

    assert coordinate[0] == f"{stream.broker.rejected_topic}/0"
    assert stored_rows(stream, coordinate) == [("http", 0, '{"type":5}', "")]


def test_the_receipt_is_the_brokers_time_whatever_the_senders_clock_says(
    stream: StreamStack, producer: KafkaProducer
) -> None:
    an_hour_ago_ms = int((time.time() - 3600) * 1_000)
    origin, offset = send(producer, stream.broker.topic, b"{}", timestamp_ms=an_hour_ago_ms)
    stored_rows(stream, (origin, offset))

    [[received_at]] = stream.clickhouse.query(
        "select received_at from raw_events where origin = {origin:String} and offset = {offset:UInt64}",
        parameters={"origin": origin, "offset": offset},
    ).result_rows

    assert abs(datetime.now(UTC) - received_at.replace(tzinfo=UTC)) < timedelta(minutes=1)


@pytest.mark.parametrize("codec", ["gzip", "lz4", "zstd"])
def test_packed_records_are_read(stream: StreamStack, codec: str) -> None:
    packing = stream.producer(compression_type=codec)

    coordinate = send(packing, stream.broker.topic, b'{"packed":"' + b"x" * 1_000 + b'"}')

    assert len(stored_rows(stream, coordinate)) == 1
    packing.close()


SEND_WITH_SNAPPY = """
import sys
from kafka import KafkaProducer
producer = KafkaProducer(bootstrap_servers=sys.argv[1], compression_type="snappy")
sent = producer.send(sys.argv[2], b"[" + b" " * 100_000 + b"{}]").get(timeout=60)
print(sent.partition, sent.offset)
"""


def test_records_packed_with_snappy_are_read(stream: StreamStack) -> None:
    # Mage's environment alone has the codec.
    command = [str(MAGE_PYTHON), "-c", SEND_WITH_SNAPPY, stream.broker.bootstrap_servers, stream.broker.topic]
    sent = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()

    assert stored_rows(stream, (f"{stream.broker.topic}/{sent[0]}", int(sent[1]))) == [
        ("broker", 0, "{}", "")
    ]


def test_a_packed_record_that_tells_not_how_large_it_is_is_read(
    stream: StreamStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    silent = zstandard.ZstdCompressor(write_content_size=False)
    monkeypatch.setattr(default_records, "zstd_encode", lambda data: silent.compress(bytes(data)))
    packing = stream.producer(compression_type="zstd")

    coordinate = send(packing, stream.broker.topic, b"[" + b" " * (3 * MIB) + b"{}]")

    assert stored_rows(stream, coordinate) == [("broker", 0, "{}", "")]
    packing.close()


def test_records_of_a_transaction_that_was_given_up_are_no_events(
    stream: StreamStack, producer: KafkaProducer
) -> None:
    transactional = stream.producer(transactional_id="given-up", retries=10)
    transactional.init_transactions()
    transactional.begin_transaction()
    coordinate = send(transactional, stream.broker.topic, b'{"given":"up"}')
    transactional.abort_transaction()
    transactional.close()

    stream.wait_for_idle()

    assert stream.rows(coordinate) == []


def test_no_text_of_an_event_is_in_the_log(stream: StreamStack, producer: KafkaProducer) -> None:
    stored_rows(stream, send(producer, stream.broker.topic, SECRET.encode()))

    assert "Reading clickstream.events/0" in stream.log()
    assert SECRET not in stream.log()


def test_the_metrics_count_what_was_stored_by_source_and_defect(
    stream: StreamStack, producer: KafkaProducer
) -> None:
    before = stream.metrics()

    send(producer, stream.broker.topic, b"[{},{},{}]", [("source", b"http")])
    stored_rows(stream, send(producer, stream.broker.topic, b"{"))

    wait_until(lambda: stream.metrics()["rows_total"] - before["rows_total"] == 4, "the rows are counted")
    after = stream.metrics()
    assert after["records_total"] - before["records_total"] == 2
    assert after["defective_rows_total"] - before["defective_rows_total"] == 1
    assert after["broker_up"] == 1
