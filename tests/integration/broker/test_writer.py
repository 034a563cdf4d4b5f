"""The sink against the real table: a coordinate is stored once, whoever writes it, in whatever batches."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from clickstream.etl.stream import BrokerRecord, RawWriter, TopicMadeAnewError
from tests.integration.broker.stream import StreamStack

ITEMS = b'[{"a":1},{"a":2}]'


def records(topic: str, first: int, last: int, value: bytes = ITEMS) -> list[BrokerRecord]:
    return [
        BrokerRecord(topic, 0, offset, 1_700_000_000_000, "broker", value)
        for offset in range(first, last + 1)
    ]


def stored_offsets(stream: StreamStack, topic: str) -> list[int]:
    return sorted(offset for origin, offset in stream.stored() if origin == f"{topic}/0")


@pytest.fixture
def writer(stream: StreamStack) -> RawWriter:
    return RawWriter(stream.stack.settings)


def test_records_that_overlap_those_stored_add_only_what_is_new(
    stream: StreamStack, writer: RawWriter
) -> None:
    writer.write(records("overlap", 0, 9))
    writer.write(records("overlap", 5, 14))
    writer.write(records("overlap", 0, 14))

    assert stored_offsets(stream, "overlap") == list(range(15))
    assert stream.repeated() == 0


def test_a_record_that_is_there_twice_in_a_batch_is_stored_once(
    stream: StreamStack, writer: RawWriter
) -> None:
    writer.write([*records("twice", 0, 3), *records("twice", 2, 5)])

    assert stored_offsets(stream, "twice") == list(range(6))
    assert stream.repeated() == 0


def test_writers_that_write_the_same_at_once_store_it_once(stream: StreamStack) -> None:
    writers = [RawWriter(stream.stack.settings) for _ in range(4)]

    with ThreadPoolExecutor(4) as pool:
        for last in range(9, 100, 10):
            list(pool.map(lambda one, last=last: one.write(records("at-once", 0, last)), writers))

    assert stored_offsets(stream, "at-once") == list(range(100))
    assert stream.repeated() == 0


def test_empty_arrays_store_nothing_and_may_come_again(stream: StreamStack, writer: RawWriter) -> None:
    writer.write(records("empty", 0, 3, b"[]"))
    writer.write([*records("empty", 0, 3, b"[]"), *records("empty", 4, 4)])

    assert stored_offsets(stream, "empty") == [4]


def test_a_topic_that_was_made_anew_is_not_taken_for_the_old_one(
    stream: StreamStack, writer: RawWriter
) -> None:
    writer.write(records("anew", 0, 9))

    with pytest.raises(TopicMadeAnewError, match="anew/0:2 is not the record that raw_events holds"):
        writer.write(records("anew", 0, 2, b'{"other":1}'))

    assert stored_offsets(stream, "anew") == list(range(10))
