from collections import defaultdict
from datetime import timedelta
from typing import Any

import pyarrow as pa
import pytest
from clickhouse_connect.driver.client import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clickstream.errors import BadInputError
from clickstream.storage.progress import advance, processed_offset
from clickstream.storage.ranges import OffsetRange
from clickstream.storage.raw import (
    count_pending,
    insert_raw,
    is_processed,
    last_offset,
    pending_ranges,
    read_raw,
    short_origin,
    whole_origin,
)
from clickstream.storage.views import read_view
from tests.integration.warehouse.rows import START, after, raw_rows


def _count(client: Client) -> int:
    return int(client.query("select count() from raw_events").result_rows[0][0])


def test_the_same_rows_under_the_same_token_are_stored_once(client: Client) -> None:
    rows = raw_rows({"offset": number} for number in range(1, 1001))
    insert_raw(client, rows, "chunk-1")
    insert_raw(client, rows, "chunk-1")
    assert _count(client) == 1000


def test_a_token_protects_over_midnight_too(client: Client) -> None:
    insert_raw(client, raw_rows([{"offset": 1, "received_at": after(hours=23)}]), "chunk-1")
    insert_raw(client, raw_rows([{"offset": 1, "received_at": after(hours=25)}]), "chunk-1")
    assert _count(client) == 1


def test_the_same_rows_under_another_token_are_other_rows(client: Client) -> None:
    rows = raw_rows([{"offset": 1}])
    insert_raw(client, rows, "chunk-1")
    insert_raw(client, rows, "chunk-2")
    assert _count(client) == 2


def test_an_insert_is_a_single_part_whatever_its_times_of_receipt(client: Client) -> None:
    insert_raw(
        client, raw_rows({"offset": day, "received_at": after(days=day)} for day in range(400)), "chunk-1"
    )
    parts = client.query(
        "select count() from system.parts where database = {database:String} and table = 'raw_events'",
        parameters={"database": client.database},
    ).result_rows
    assert parts == [(1,)]


def test_bodies_come_back_as_they_were(client: Client) -> None:
    bodies = ["", "{", "a\x00b", "строка", '"quoted"\n\\', "\U0001f600"]
    insert_raw(client, raw_rows({"offset": n, "body": body} for n, body in enumerate(bodies)), "bodies")
    (table,) = read_raw(client, pending_ranges(client, 100), 100)
    assert table["body"].to_pylist() == bodies


def test_the_last_offset_is_that_of_the_origin(client: Client) -> None:
    insert_raw(client, raw_rows({"offset": number} for number in (1, 7, 3)), "a")
    insert_raw(client, raw_rows([{"origin": "csv/b", "offset": 2**64 - 1}]), "b")
    assert last_offset(client, "csv/a") == 7
    assert last_offset(client, "csv/b") == 2**64 - 1
    assert last_offset(client, "csv/c") is None


def test_an_origin_with_offset_0_alone_is_pending_until_it_is_processed(client: Client) -> None:
    insert_raw(client, raw_rows([{"offset": 0}]), "a")
    ranges = pending_ranges(client, 10)
    assert ranges == [OffsetRange("csv/a", after_offset=-1, to_offset=0, rows=1)]
    assert processed_offset(client, "csv/a") is None
    advance(client, ranges)
    assert pending_ranges(client, 10) == []
    assert processed_offset(client, "csv/a") == 0


def test_progress_never_goes_back(client: Client) -> None:
    advance(client, [OffsetRange("csv/a", -1, 9)])
    advance(client, [OffsetRange("csv/a", -1, 4)])
    assert processed_offset(client, "csv/a") == 9


def test_origins_show_how_far_the_loaders_are_by_source(client: Client) -> None:
    insert_raw(client, raw_rows([{"origin": "t/0", "offset": 4, "source": "http"}]), "a")
    insert_raw(client, raw_rows([{"origin": "t/0", "offset": 6, "source": "tracker"}]), "b")
    rows = read_view(client, "raw_origins").to_pylist()
    assert sorted((row["source"], row["last_offset"], row["rows"]) for row in rows) == [
        ("http", 4, 1),
        ("tracker", 6, 1),
    ]


def test_a_record_larger_than_the_limit_is_taken_alone(client: Client) -> None:
    insert_raw(client, raw_rows({"offset": number // 10, "item": number % 10} for number in range(30)), "a")
    assert pending_ranges(client, 3) == [OffsetRange("csv/a", after_offset=-1, to_offset=0, rows=10)]


def test_a_step_back_of_the_clock_does_not_stop_an_origin(client: Client) -> None:
    insert_raw(client, raw_rows({"offset": n, "received_at": after(seconds=60)} for n in range(100)), "a")
    insert_raw(client, raw_rows({"offset": n, "received_at": START} for n in range(100, 200)), "b")
    assert pending_ranges(client, 50) == [OffsetRange("csv/a", after_offset=-1, to_offset=49, rows=50)]


@pytest.mark.parametrize("batch_rows", [1_000, 70_000, 10**9])
def test_batches_are_in_the_order_of_receipt_and_of_the_asked_size(client: Client, batch_rows: int) -> None:
    insert_raw(
        client,
        raw_rows({"offset": n, "received_at": after(seconds=n // 1000 * 2)} for n in range(5_000)),
        "a",
    )
    insert_raw(
        client,
        raw_rows(
            {"origin": "t/0", "offset": n, "received_at": after(seconds=n // 1000 * 2 + 1)}
            for n in range(5_000)
        ),
        "b",
    )
    tables = list(read_raw(client, pending_ranges(client, 10**6), batch_rows))
    assert [table.num_rows for table in tables[:-1]] == [batch_rows] * (len(tables) - 1)
    rows = pa.concat_tables(tables).select(["received_at", "origin", "offset"]).to_pylist()
    keys = [tuple(row.values()) for row in rows]
    assert len(keys) == 10_000
    assert keys == sorted(keys)


def test_other_statements_may_run_while_rows_are_read(client: Client) -> None:
    insert_raw(client, raw_rows({"offset": n} for n in range(5_000)), "a")
    for table in read_raw(client, pending_ranges(client, 10**6), 1_000):
        assert last_offset(client, "csv/a") == 4_999
        assert table.num_rows == 1_000


_RECORDS = st.lists(
    st.tuples(st.sampled_from(["t/0", "t/1", "csv/a"]), st.integers(0, 9), st.integers(1, 4)),
    min_size=1,
    max_size=15,
)


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(records=_RECORDS, limit=st.integers(1, 12))
def test_every_row_is_taken_once_in_whole_records_within_the_limit(
    client: Client, records: list[tuple[str, int, int]], limit: int
) -> None:
    client.command("truncate table raw_events")
    client.command("truncate table etl_progress")
    inserted = _insert_records(client, records)

    taken: list[dict[str, Any]] = []
    while ranges := pending_ranges(client, limit):
        tables = list(read_raw(client, ranges, 5))
        rows = [row for table in tables for row in table.to_pylist()]
        records_taken = {(row["origin"], row["offset"]) for row in rows}
        assert len(rows) <= limit or len(records_taken) == 1
        assert sum(part.rows for part in ranges) == len(rows)
        taken += rows
        advance(client, ranges)
        assert count_pending(client) == inserted - len(taken)

    coordinates = [(row["origin"], row["offset"], row["item"]) for row in taken]
    assert len(coordinates) == len(set(coordinates)) == inserted


def _insert_records(client: Client, records: list[tuple[str, int, int]]) -> int:
    """Inserts records of some items each; an origin's offsets follow one another."""
    offsets: dict[str, int] = defaultdict(int)
    rows = []
    for origin, second, items in records:
        for item in range(items):
            received_at = START + timedelta(seconds=second)
            rows.append(
                {"origin": origin, "offset": offsets[origin], "item": item, "received_at": received_at}
            )
        offsets[origin] += 1
    insert_raw(client, raw_rows(rows), f"records-{hash(tuple(records))}-{id(rows)}")
    return len(rows)


def test_the_beginning_of_a_hash_names_its_file_and_nothing_else(client: Client) -> None:
    files = ["csv/" + "a" * 64, "csv/" + "b" * 13, "csv/" + "b" * 12 + "c"]
    insert_raw(client, raw_rows([{"origin": origin, "offset": 1} for origin in files]), "t")

    assert whole_origin(client, short_origin(files[0])) == files[0]
    assert whole_origin(client, "clickstream.events/1") == "clickstream.events/1"
    assert whole_origin(client, "csv/d") == "csv/d"
    with pytest.raises(BadInputError, match="Several files begin with csv/bbbbbbbbbbbb"):
        whole_origin(client, short_origin(files[1]))


def test_an_origin_is_processed_once_its_last_offset_is(client: Client) -> None:
    assert is_processed(client, "replay"), "nothing was received"
    insert_raw(client, raw_rows([{"origin": "replay", "offset": 0}]), "t0")
    assert not is_processed(client, "replay")
    advance(client, [OffsetRange("replay", -1, 0)])
    assert is_processed(client, "replay")
