"""Erased events and the erasures that did it: the tables `erased_events` and `erasures`.

Statements that stay on disk (mutations) name coordinates and runs, never a person.
"""

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime
from typing import Any, Final

import pyarrow as pa
from clickhouse_connect.driver.client import Client

from clickstream.storage.arrow import COORDINATE_FIELDS, column, read_table, schema_of
from clickstream.storage.events import COORDINATES_SCHEMA
from clickstream.storage.ranges import OffsetRange
from clickstream.storage.raw import RAW_SCHEMA, read_raw
from clickstream.storage.sql import load_sql

ERASED_SCHEMA: Final = schema_of(
    [
        column("source", pa.string()),
        *COORDINATE_FIELDS,
        column("received_date", pa.date32()),
        column("fate", pa.string()),
        column("run_id", pa.string()),
    ]
)
"""Columns of `erased_events` but for `erased_at`, which the database fills in."""

TABLES_OF_EVENTS: Final = ("events", "duplicate_events", "quarantined_events", "raw_events")
"""Tables with rows by coordinate, in the order in which these are removed: what they came from goes last."""

_SYNCHRONOUS: Final = {"mutations_sync": 2}
_CHUNK: Final = 10_000
_POLL_SECONDS: Final = 0.2

Coordinate = tuple[str, int, int]


@dataclass(frozen=True, slots=True)
class ErasureRecord:
    """One erasure: the columns of `erasures`, described there."""

    run_id: str
    user_hash: str
    started_at: datetime
    finished_at: datetime | None = None
    days: tuple[date, ...] = ()
    users: int = 0
    receipt: str = ""


_RECORD_COLUMNS: Final = [part.name for part in fields(ErasureRecord)]


def record_erasure(client: Client, erasure: ErasureRecord) -> None:
    """Notes how an erasure stands; what was noted of it before is replaced."""
    row = [getattr(erasure, name) for name in _RECORD_COLUMNS]
    row[_RECORD_COLUMNS.index("days")] = list(erasure.days)
    client.insert("erasures", [row], column_names=_RECORD_COLUMNS)


def read_erasures(client: Client, *, run_id: str = "", user_hash: str = "") -> list[ErasureRecord]:
    """Erasures, the latest first: all, one, or those of a person."""
    parameters = {"run_id": run_id, "user_hash": user_hash}
    rows = client.query(load_sql("queries/erasures"), parameters=parameters, tz_mode="aware").named_results()
    return [ErasureRecord(**{**row, "days": tuple(row["days"])}) for row in rows]


def insert_erased(client: Client, rows: pa.Table) -> None:
    """Notes coordinates as erased, all of them or none: rows of `ERASED_SCHEMA`."""
    if rows.num_rows:
        client.insert_arrow("erased_events", rows.cast(ERASED_SCHEMA))


def known_coordinates(client: Client, query: str, wanted: Sequence[Coordinate]) -> set[Coordinate]:
    """Which coordinates a query of the warehouse knows, such as `queries/erased_coordinates`."""
    known: set[Coordinate] = set()
    for parameters in coordinate_parameters(wanted):
        table = read_table(client, query, parameters, COORDINATES_SCHEMA)
        columns: list[list[Any]] = [table[name].to_pylist() for name in COORDINATES_SCHEMA.names]
        known.update(zip(*columns, strict=True))
    return known


def coordinate_parameters(wanted: Sequence[Coordinate]) -> Iterator[dict[str, object]]:
    """The parameters of queries about coordinates, in pieces that a request can carry."""
    for start in range(0, len(wanted), _CHUNK):
        piece = wanted[start : start + _CHUNK]
        yield {"origins": sorted({origin for origin, _, _ in piece}), "coordinates": list(piece)}


def erased_by_fate(client: Client, run_id: str) -> dict[str, int]:
    """How many events a run has erased, by what they were before."""
    rows = client.query(load_sql("queries/erased_by_fate"), parameters={"run_id": run_id}).result_rows
    return {str(fate): int(events) for fate, events in rows}


def delete_erased(client: Client, tables: Iterable[str] = TABLES_OF_EVENTS) -> None:
    """Rewrites the parts of some tables without the rows that are noted as erased, by whatever run."""
    for table in tables:
        client.command(
            "alter table {table:Identifier} delete where (origin, offset, item) in "
            "(select origin, offset, item from erased_events)",
            parameters={"table": table},
            settings=_SYNCHRONOUS,
        )


def delete_user(client: Client, user_id: int) -> None:
    """Rewrites the parts of `users` without a person.

    The id goes through a table in memory, because the text of a mutation is kept on disk.
    """
    client.command("drop table if exists erased_user_now sync")
    client.command("create table erased_user_now (id UInt64) engine = Memory")
    try:
        client.insert("erased_user_now", [[user_id]], column_names=["id"])
        client.command(
            "alter table users delete where id in (select id from erased_user_now)", settings=_SYNCHRONOUS
        )
    finally:
        client.command("drop table if exists erased_user_now sync")


def delete_stored_duplicates(client: Client) -> None:
    """Removes the duplicates that are stored as events now."""
    client.command(
        "alter table duplicate_events delete where (id, origin, offset, item) in "
        "(select id, origin, offset, item from events where id in (select id from duplicate_events))",
        settings=_SYNCHRONOUS,
    )


def orphaned_duplicates(client: Client) -> pa.Table:
    """The raw rows of duplicates whose event is not stored any more, the first received of each id."""
    wanted = read_table(client, "queries/orphaned_duplicates", {}, COORDINATES_SCHEMA)
    columns: list[list[Any]] = [wanted[name].to_pylist() for name in COORDINATES_SCHEMA.names]
    rows = [
        record.filter(pa.array([number == item for number in record["item"].to_pylist()], pa.bool_()))
        for origin, offset, item in sorted(zip(*columns, strict=True))
        for record in read_raw(client, [OffsetRange(origin, offset - 1, offset)], _CHUNK)
    ]
    return pa.concat_tables(rows) if rows else RAW_SCHEMA.empty_table()


def remove_masked_rows(client: Client) -> list[str]:
    """Rewrites the parts with rows that were only marked as deleted; returns the tables that had some."""
    tables = [str(name) for (name,) in client.query(load_sql("queries/masked_tables")).result_rows]
    for table in tables:
        client.command(
            "alter table {table:Identifier} apply deleted mask",
            parameters={"table": table},
            settings=_SYNCHRONOUS,
        )
    return tables


def detached_parts(client: Client) -> dict[str, int]:
    """Numbers of parts that were put aside, by table: nothing here touches them."""
    rows = client.query(load_sql("queries/detached_parts")).result_rows
    return {str(name): int(parts) for name, parts in rows}


def drop_old_parts(client: Client, wait_seconds: float) -> int:
    """Removes from disk what the tables hold no longer: parts that were rewritten, merged or replaced.

    The engine keeps such parts for some minutes, and longer while a query reads them.

    Args:
        client: A connection that may write.
        wait_seconds: How long to wait for queries that read them.

    Returns:
        How many of those that were there in the beginning still are.
    """
    left = _old_parts(client)
    deadline = time.monotonic() + wait_seconds
    while left:
        for table in sorted({table for table, _ in left}):
            _drop_old_parts_of(client, table)
        left &= _old_parts(client)
        if time.monotonic() > deadline:
            break
        if left:
            time.sleep(_POLL_SECONDS)
    return len(left)


def _old_parts(client: Client) -> set[tuple[str, str]]:
    return {
        (str(table), str(name)) for table, name in client.query(load_sql("queries/old_parts")).result_rows
    }


def _drop_old_parts_of(client: Client, table: str) -> None:
    """Removes the old parts of one table.

    Dropping a partition makes the engine clear old parts at once instead of at its next turn, even where
    there is no such partition (`StorageMergeTree::dropPartition`).
    """
    names = {"table": table}
    client.command("alter table {table:Identifier} modify setting old_parts_lifetime = 0", parameters=names)
    try:
        client.command("alter table {table:Identifier} drop partition id 'none'", parameters=names)
    finally:
        client.command("alter table {table:Identifier} reset setting old_parts_lifetime", parameters=names)
