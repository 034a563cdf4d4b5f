from collections.abc import Callable

import pytest
from clickhouse_connect.driver.client import Client

from clickstream.storage.checks import CHECKS, run_checks
from clickstream.storage.events import insert_duplicates, insert_events
from clickstream.storage.marts import rebuild_days
from clickstream.storage.progress import advance
from clickstream.storage.quarantine import insert_quarantined
from clickstream.storage.ranges import OffsetRange
from clickstream.storage.raw import insert_raw
from clickstream.storage.sql import load_sql
from clickstream.storage.views import read_view
from tests.integration.warehouse.rows import (
    START,
    after,
    duplicate_rows,
    event_rows,
    quarantined_rows,
    raw_rows,
)


@pytest.fixture
def balanced(client: Client) -> Client:
    """A warehouse in order: of four raw rows one is stored, one a duplicate, one invalid and one pending."""
    insert_raw(client, raw_rows({"offset": offset} for offset in (1, 2, 3, 4)), "balanced")
    insert_events(client, event_rows([{"id": 1, "offset": 1}]))
    insert_duplicates(client, duplicate_rows([{"id": 1, "offset": 2}]))
    insert_quarantined(client, quarantined_rows([{"offset": 3}]))
    advance(client, [OffsetRange("csv/a", -1, 3)])
    rebuild_days(client, [START.date()])
    return client


def _lose_a_row(client: Client) -> None:
    client.command("truncate table duplicate_events")


def _load_a_row_twice(client: Client) -> None:
    insert_raw(client, raw_rows([{"offset": 4}]), "again")


def _store_two_of_one_row(client: Client) -> None:
    insert_events(client, event_rows([{"id": 2, "offset": 1}]))


def _store_an_id_twice(client: Client) -> None:
    insert_events(client, event_rows([{"id": 1, "offset": 4}]))


def _record_a_duplicate_twice(client: Client) -> None:
    insert_duplicates(client, duplicate_rows([{"id": 1, "offset": 2}]))


def _quarantine_under_two_receipts(client: Client) -> None:
    insert_quarantined(client, quarantined_rows([{"offset": 3, "received_at": after(days=60)}]))


def _call_a_new_id_a_duplicate(client: Client) -> None:
    insert_duplicates(client, duplicate_rows([{"id": 77, "offset": 4}]))


def _store_under_another_receipt(client: Client) -> None:
    insert_events(client, event_rows([{"id": 2, "offset": 4, "received_at": after(seconds=1)}]))


def _store_without_building(client: Client) -> None:
    click = {
        **{"id": 2, "offset": 4, "type": "click", "x": 1, "y": 1, "session_id": "s2", "user_id": 2},
        "own_fields": [("variant", "b")],
    }
    insert_events(client, event_rows([click]))


def _store_a_bot_without_building(client: Client) -> None:
    insert_events(client, event_rows([{"id": 2, "offset": 4, "is_bot": True, "bot_name": "Googlebot"}]))


VIOLATIONS: dict[str, Callable[[Client], None]] = {
    "ledger_balances": _lose_a_row,
    "processed_rows_have_one_fate": _lose_a_row,
    "raw_coordinates_are_unique": _load_a_row_twice,
    "event_coordinates_are_unique": _store_two_of_one_row,
    "event_ids_are_unique": _store_an_id_twice,
    "duplicate_coordinates_are_unique": _record_a_duplicate_twice,
    "quarantined_coordinates_are_unique": _quarantine_under_two_receipts,
    "duplicates_are_stored_elsewhere": _call_a_new_id_a_duplicate,
    "stored_receipts_are_raw_receipts": _store_under_another_receipt,
    **{name: _store_without_building for name in CHECKS if name.endswith("_equal_events")},
    "bot_traffic_equal_events": _store_a_bot_without_building,
}
NOT_TO_BE_MADE = "session_hashes_are_unique"
"""Two texts with the same sipHash64 can't be found in a test."""


def _violated(client: Client) -> set[str]:
    return {check.name for check in run_checks(client) if not check.passed}


def test_an_empty_warehouse_passes_every_check(client: Client) -> None:
    assert _violated(client) == set()


def test_a_warehouse_in_order_passes_every_check(balanced: Client) -> None:
    assert _violated(balanced) == set()


def test_the_ledger_counts_each_fate_from_its_own_table(balanced: Client) -> None:
    assert read_view(balanced, "ledger").to_pylist() == [
        {
            "source": "csv",
            "date": START.date(),
            "received": 4,
            "stored": 1,
            "duplicate": 1,
            "quarantined": 1,
            "pending": 1,
            "erased": 0,
            "open": 1,
        }
    ]


def test_every_check_has_a_violation_here() -> None:
    assert VIOLATIONS.keys() | {NOT_TO_BE_MADE} == set(CHECKS)


@pytest.mark.parametrize("name", sorted(VIOLATIONS))
def test_a_check_finds_its_violation(balanced: Client, name: str) -> None:
    VIOLATIONS[name](balanced)
    assert name in _violated(balanced)


def test_the_check_of_hashes_finds_sessions_that_share_one(balanced: Client) -> None:
    insert_events(balanced, event_rows([{"id": 2, "offset": 4, "session_id": "s2"}]))
    with_a_poor_hash = load_sql(f"checks/{NOT_TO_BE_MADE}").replace("sipHash64", "length")
    assert balanced.query(with_a_poor_hash).result_rows == [(2, 2)]
