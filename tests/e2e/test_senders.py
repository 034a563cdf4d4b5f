"""From odd senders to the tables: wrong clocks, repeated batches, records and lines that are not events."""

import csv
import json
import threading
import uuid
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from clickhouse_connect.driver.client import Client
from kafka import KafkaProducer
from typer.testing import CliRunner

from clickstream.cli.app import app
from clickstream.storage.client import Role, connect
from clickstream.storage.sql import load_sql
from tests.integration.api.service import ApiStack, event
from tests.integration.etl.pipelines import load
from tests.integration.etl.pipelines import run as process
from tests.waiting import wait_until

MIB = 1 << 20
HOUR = timedelta(hours=1)


@pytest.fixture(scope="module")
def client(api: ApiStack) -> Client:
    return connect(api.settings.clickhouse, Role.WRITER)


@pytest.fixture(scope="module")
def producer(api: ApiStack) -> Iterator[KafkaProducer]:
    servers = api.settings.broker.bootstrap_servers
    running = KafkaProducer(bootstrap_servers=servers, acks="all", max_request_size=20 * MIB)
    yield running
    running.close()


def followed(client: Client, condition: str, parameters: dict[str, Any], rows: int) -> list[dict[str, Any]]:
    """What became of some raw events, once all of them are received and processed."""
    query = f"select origin, offset, item from raw_events where {condition}"
    wait_until(lambda: len(client.query(query, parameters).result_rows) >= rows, "all is received")
    process()
    coordinates = client.query(query, parameters).result_rows
    places = {
        "origins": sorted({origin for origin, _, _ in coordinates}),
        "offsets": sorted({offset for _, offset, _ in coordinates}),
        "coordinates": coordinates,
    }
    found = client.query(load_sql("queries/trace_receipts"), places, tz_mode="aware").named_results()
    return sorted(found, key=lambda row: (row["source"], row["origin"], row["offset"], row["item"]))


def codes(row: Mapping[str, Any]) -> list[str]:
    return [error["code"] for error in row["errors"]]


def skewed(session: str, skew: timedelta) -> dict[str, Any]:
    """An event of this moment by a clock that is wrong."""
    moment = datetime.now(UTC) + skew
    return event(session_id=session, created_at=moment.isoformat(timespec="milliseconds"))


@pytest.mark.parametrize("skew", [HOUR, -HOUR], ids=["ahead", "behind"])
def test_a_senders_clock_that_is_an_hour_wrong(
    api: ApiStack, client: Client, producer: KafkaProducer, skew: timedelta
) -> None:
    session = uuid.uuid4().hex
    over_http, over_broker = skewed(session, skew), skewed(session, skew)
    answer = api.post([over_http])
    sender_ms = int((datetime.now(UTC) + skew).timestamp() * 1_000)
    value = json.dumps([over_broker]).encode()
    producer.send(api.settings.broker.topic, value, timestamp_ms=sender_ms).get(timeout=60)

    found = followed(client, "body like {session:String}", {"session": f"%{session}%"}, rows=2)

    assert [row["source"] for row in found] == ["broker", "http"]
    assert all(abs(row["received_at"] - datetime.now(UTC)) < timedelta(minutes=5) for row in found)
    if skew > timedelta(0):
        assert answer.status_code == 422
        assert [error["code"] for error in answer.json()["errors"]] == ["created_at_in_future"]
        assert [codes(row) for row in found] == [["created_at_in_future"]] * 2
    else:
        assert answer.status_code == 202
        assert [row["event_id"] for row in found] == [over_broker["id"], over_http["id"]]
        sent = [datetime.fromisoformat(one["created_at"]) for one in (over_broker, over_http)]
        assert [row["created_at"] for row in found] == sent, "a late event counts when it happened"


def test_equal_batches_at_the_same_time_are_stored_once(
    api: ApiStack, client: Client, producer: KafkaProducer
) -> None:
    session = uuid.uuid4().hex
    batch = [event(session_id=session) for _ in range(100)]
    without_ids = [event(session_id=session, id=..., user_id=number) for number in range(100)]
    answers: list[dict[str, Any]] = []
    together = threading.Barrier(4)

    def post(events: list[dict[str, Any]]) -> None:
        with httpx.Client(trust_env=False, timeout=20) as sender:
            together.wait()
            answers.append(sender.post(f"{api.url}/events", json=events).json())

    threads = [threading.Thread(target=post, args=(events,)) for events in (batch, without_ids) * 2]
    for thread in threads:
        thread.start()
    producer.send(api.settings.broker.topic, json.dumps(batch).encode()).get(timeout=60)
    for thread in threads:
        thread.join()

    found = followed(client, "body like {session:String}", {"session": f"%{session}%"}, rows=500)

    assert [answer["accepted"] for answer in answers] == [100] * 4
    assert sorted(answer.get("known", 0) for answer in answers) == [0, 0, 100, 100]
    assert Counter(row["fate"] for row in found) == {"stored": 200, "duplicate": 300}
    stored = client.query(
        "select id from events where session_id = {session:String}", parameters={"session": session}
    ).result_columns[0]
    assert len(stored) == len(set(stored)) == 200
    assert {one["id"] for one in batch} < set(stored)


NO_EVENTS = {
    "not JSON": (b"hello", "invalid_json"),
    "empty": (b"", "invalid_json"),
    "a tombstone": (None, "invalid_json"),
    "broken off": (b'[{"type":"view"', "invalid_json"),
    "not UTF-8": (b'{"type":"\xff"}', "invalid_encoding"),
    "huge": (b"[" + b" " * (11 * MIB) + b"]", "too_large"),
    "no object": (b"5", "not_an_object"),
}


def test_records_that_are_no_events_are_quarantined_and_the_next_one_is_stored(
    api: ApiStack, client: Client, producer: KafkaProducer
) -> None:
    topic = api.settings.broker.topic
    good = event()
    values = [value for value, _ in NO_EVENTS.values()] + [json.dumps(good).encode()]
    sent = [producer.send(topic, value, key=b"any", partition=0).get(timeout=60) for value in values]
    first = {"origin": f"{topic}/0", "first": sent[0].offset, "last": sent[-1].offset}

    found = followed(
        client,
        "origin = {origin:String} and offset between {first:UInt64} and {last:UInt64}",
        first,
        rows=len(values),
    )

    assert [row["offset"] for row in found] == [record.offset for record in sent]
    assert [row["fate"] for row in found] == ["quarantined"] * len(NO_EVENTS) + ["stored"]
    assert dict(zip(NO_EVENTS, map(codes, found), strict=False)) == {
        name: [code] for name, (_, code) in NO_EVENTS.items()
    }
    assert found[-1]["event_id"] == good["id"]


FILE = b"\n".join(
    (
        b"type;created_at;session_id;user_id;url;payload",
        b'view;2025-01-01T10:00:00Z;file-1;1;/;{"event_title":"a","element_id":"#a"}',
        b"view;2025-01-01T10:00:00Z;three cells",
        b'view;2025-01-01T10:00:00Z;not UTF-8 \xff;1;/;{"event_title":"a","element_id":"#a"}',
        b'hover;2025-01-01T10:00:00Z;no type;1;/;{"event_title":"a","element_id":"#a"}',
        b'view;2025-01-01T10:00:00Z;"a ""quoted"" ;";1;/;"{""event_title"":""a"",""element_id"":""#a""}"',
        b'view;2025-01-01T10:00:00Z;"cut o',
    )
)
BROKEN_LINES = {
    3: "malformed_line",
    4: "invalid_encoding",
    5: "unknown_event_type",
    7: "malformed_line",
}


def test_a_file_with_broken_lines_is_loaded_and_reported_by_line(
    api: ApiStack, client: Client, tmp_path: Path
) -> None:
    path, report = tmp_path / "odd.csv", tmp_path / "report.csv"
    path.write_bytes(FILE)

    loaded = load(path)
    origin = f"csv/{loaded['file']['sha256']}"
    found = followed(client, "origin = {origin:String}", {"origin": origin}, rows=6)
    assert CliRunner().invoke(app, ["quarantine", "export", "--out", str(report)]).exit_code == 0

    assert loaded["broken_by_code"] == {"malformed_line": 2, "invalid_encoding": 1}
    assert [row["offset"] for row in found if row["fate"] == "stored"] == [2, 6]
    with report.open(encoding="utf-8-sig", newline="") as file:
        reported = [row for row in csv.DictReader(file) if row["origin"] == origin]
    assert {int(row["offset"]): row["reasons"] for row in reported} == BROKEN_LINES
    assert load(path)["run"]["counts"]["stored"] == 0
    assert len(followed(client, "origin = {origin:String}", {"origin": origin}, rows=6)) == 6
