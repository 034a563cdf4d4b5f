from concurrent.futures import ThreadPoolExecutor
from itertools import count
from threading import Event
from typing import Any

import pytest
from clickhouse_connect.driver.client import Client

from clickstream.settings import ClickHouseSettings
from clickstream.storage.client import Role, connect
from clickstream.storage.events import insert_duplicates, insert_events
from clickstream.storage.progress import advance
from clickstream.storage.quarantine import insert_quarantined
from clickstream.storage.ranges import OffsetRange
from clickstream.storage.raw import insert_raw
from clickstream.storage.views import read_view
from tests.integration.warehouse.rows import after, duplicate_rows, event_rows, quarantined_rows, raw_rows


@pytest.fixture
def received(client: Client) -> Client:
    """Ten rows of each of three origins: of one all are processed, of one the first four, of one none."""
    for minutes, name in enumerate("abc"):
        times = {n: after(minutes=minutes, hours=n) for n in range(10)}
        insert_raw(
            client,
            raw_rows({"origin": name, "offset": n, "received_at": time} for n, time in times.items()),
            name,
        )
    _store(client, "a", 0, 10)
    _store(client, "b", 0, 4)
    advance(client, [OffsetRange("a", -1, 9), OffsetRange("b", -1, 3)])
    return client


def _store(client: Client, origin: str, start: int, stop: int) -> None:
    base = {"a": 0, "b": 100, "c": 200}[origin]
    insert_events(
        client, event_rows({"id": base + n, "origin": origin, "offset": n} for n in range(start, stop))
    )


def _completeness(client: Client) -> dict[str, Any]:
    (row,) = read_view(client, "completeness").to_pylist()
    return row


def _pending_by_the_ledger(client: Client) -> int:
    return sum(row["pending"] for row in read_view(client, "ledger").to_pylist())


def test_nothing_is_said_before_anything_was_received(client: Client) -> None:
    assert read_view(client, "completeness").num_rows == 0


def test_what_waits_is_what_lies_past_the_progress_of_each_origin(received: Client) -> None:
    row = _completeness(received)
    assert (row["received"], row["stored"], row["pending"], row["unaccounted"]) == (30, 14, 16, 0)
    assert _pending_by_the_ledger(received) == 16


def test_numbers_are_complete_up_to_the_oldest_that_waits(received: Client) -> None:
    row = _completeness(received)
    assert row["complete_through"] == after(minutes=2)
    assert row["last_received_at"] == after(minutes=2, hours=9)


def test_numbers_are_complete_up_to_the_last_receipt_where_nothing_waits(received: Client) -> None:
    _store(received, "b", 4, 10)
    _store(received, "c", 0, 10)
    advance(received, [OffsetRange("b", 3, 9), OffsetRange("c", -1, 9)])
    row = _completeness(received)
    assert (row["pending"], row["unaccounted"]) == (0, 0)
    assert row["complete_through"] == row["last_received_at"] == after(minutes=2, hours=9)


def test_rows_that_are_stored_before_the_progress_is_written_count_once(received: Client) -> None:
    _store(received, "b", 4, 6)
    insert_duplicates(received, duplicate_rows([{"id": 0, "origin": "b", "offset": 6}]))
    insert_quarantined(received, quarantined_rows([{"origin": "c", "offset": 0}]))
    assert _pending_by_the_ledger(received) == 16
    row = _completeness(received)
    assert (row["stored"], row["duplicate"], row["quarantined"]) == (16, 1, 1)
    assert (row["pending"], row["unaccounted"]) == (16, 0)


def test_a_row_that_was_lost_after_its_progress_is_unaccounted(received: Client) -> None:
    advance(received, [OffsetRange("b", 3, 5)])
    assert _completeness(received)["unaccounted"] == 2


def _take_in(settings: ClickHouseSettings, enough: Event) -> None:
    """Receives and stores a row after the other, of three origins in turn, until it is enough."""
    client = connect(settings, Role.WRITER)
    for number in count():
        if enough.is_set():
            return
        coordinate = {"origin": f"topic/{number % 3}", "offset": number // 3}
        insert_raw(client, raw_rows([coordinate]), f"topic {number}")
        if number % 2:
            insert_events(client, event_rows([{"id": number, **coordinate}]))


def test_every_look_is_of_one_moment_while_events_come_in(
    client: Client, settings: ClickHouseSettings
) -> None:
    enough = Event()
    looks: list[dict[str, Any]] = []
    with ThreadPoolExecutor() as pool:
        feeding = pool.submit(_take_in, settings, enough)
        while len(looks) < 60 and not feeding.done():
            looks += read_view(client, "completeness").to_pylist()
        enough.set()
        feeding.result()
    assert looks[-1]["received"] > looks[0]["received"]
    assert {row["unaccounted"] for row in looks} == {0}


def test_the_last_receipt_is_known_without_reading_every_row(received: Client) -> None:
    plan = received.query("explain select max(received_at) from raw_events").result_rows
    assert any("(last_receipt)" in line for (line,) in plan)
