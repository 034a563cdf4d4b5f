"""Received events as they came: the table `raw_events`."""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Final

import pyarrow as pa
from clickhouse_connect.driver.client import Client

from clickstream.errors import BadInputError
from clickstream.storage.arrow import TIME, column, rebatch, schema_of, stream_batches
from clickstream.storage.progress import processed_offset
from clickstream.storage.ranges import OffsetRange, span_parameters
from clickstream.storage.sql import load_sql

RAW_SCHEMA: Final = schema_of(
    [
        column("source", pa.string()),
        column("origin", pa.string()),
        column("offset", pa.uint64()),
        column("item", pa.uint32()),
        column("received_at", TIME),
        column("body", pa.string()),
        column("defect", pa.string()),
        column("replay_of", pa.string()),
    ]
)
"""Columns of `raw_events` but for `loaded_at`, which the database fills in."""

REPLAY_ORIGIN: Final = "replay"
"""Stands for all replays: events that were sent again from the quarantine."""

_FILES: Final = "csv/"
_SHORT_HASH: Final = 12

_ONE_BLOCK: Final = {
    "max_insert_block_size": 2**40,
    "min_insert_block_size_rows": 2**40,
    "min_insert_block_size_bytes": 0,
}
"""Settings under which an insert is one block, and so one part: all or nothing."""


def insert_raw(client: Client, table: pa.Table, token: str) -> None:
    """Inserts rows all together or not at all; the same rows under the same token a second time do nothing.

    Args:
        client: A connection that may write.
        table: Rows of `RAW_SCHEMA`; the offsets of an origin must not lie before ones already inserted.
        token: Names these rows and no others: the same token with other rows drops them without a word.
    """
    if table.num_rows == 0:
        return
    client.insert_arrow(
        "raw_events", table.cast(RAW_SCHEMA), settings={**_ONE_BLOCK, "insert_deduplication_token": token}
    )


def note_file_name(client: Client, origin: str, name: str) -> None:
    """Keeps the name under which a file was loaded last, so that people recognise it in lists."""
    client.insert("file_names", [[origin, name]], column_names=["origin", "name"])


def last_offset(client: Client, origin: str) -> int | None:
    """The last offset that was ever stored of an origin, its row erased or not; None if there is none."""
    rows = client.query(load_sql("queries/last_offset"), parameters={"origin": origin}).result_rows
    return int(rows[0][0]) if rows else None


def reached_offset(client: Client, origin: str) -> int | None:
    """The last offset that any table knows of an origin, whatever was deleted; None if none does."""
    rows = client.query(load_sql("queries/reached_offset"), parameters={"origin": origin}).result_rows
    return None if rows[0][0] is None else int(rows[0][0])


def is_processed(client: Client, origin: str) -> bool:
    """Whether all that was received of an origin has been processed."""
    last, done = last_offset(client, origin), processed_offset(client, origin)
    return last is None or (done is not None and done >= last)


def content_token(name: str, table: pa.Table) -> str:
    """A token for `insert_raw` that names these rows: the same rows give the same one, others another.

    Args:
        name: Where they come from.
        table: Rows of `RAW_SCHEMA`. When they were received does not matter.
    """
    sink = pa.BufferOutputStream()
    rows = table.drop_columns(["received_at"]).combine_chunks()
    with pa.ipc.new_stream(sink, rows.schema) as writer:
        writer.write_table(rows)
    return f"{name}:{hashlib.sha256(sink.getvalue()).hexdigest()}"


def short_origin(origin: str) -> str:
    """An origin as people see it: of a file's hash the first digits, which `whole_origin` takes back."""
    return origin[: len(_FILES) + _SHORT_HASH] if origin.startswith(_FILES) else origin


def whole_origin(client: Client, origin: str) -> str:
    """The origin of which a short one is the beginning; what is not the beginning of one file stays as it is.

    Raises:
        BadInputError: Several files begin like that.
    """
    if not origin.startswith(_FILES):
        return origin
    rows = client.query(
        "select origin from raw_origins where startsWith(origin, {beginning:String}) limit 2",
        parameters={"beginning": origin},
    ).result_rows
    if len(rows) > 1:
        raise BadInputError(f"Several files begin with {origin}.", hint="Give more digits of the hash.")
    return str(rows[0][0]) if rows else origin


def stored_body(client: Client, origin: str, offset: int, item: int) -> str | None:
    """The body that is stored under a coordinate; None if nothing is."""
    rows = client.query(
        "select body from raw_events where origin = {origin:String} and offset = {offset:UInt64} "
        "and item = {item:UInt32} limit 1",
        parameters={"origin": origin, "offset": offset, "item": item},
    ).result_rows
    return str(rows[0][0]) if rows else None


def known_replays(client: Client, names: Sequence[str]) -> set[str]:
    """Which quarantined rows, named by `origin:offset:item`, have been sent again."""
    rows = client.query(load_sql("queries/known_replays"), parameters={"names": list(names)}).result_rows
    return {str(name) for (name,) in rows}


def pending_ranges(client: Client, limit_rows: int) -> list[OffsetRange]:
    """The records to be processed next: those past the progress of their origin, oldest received first.

    Args:
        client: A connection.
        limit_rows: Rows to take at most. A record is never split, so a single one may exceed it.

    Returns:
        At most one range an origin, none where there is nothing to do.
    """
    spans = _count_rows(client, _pending_spans(client))
    if _total(spans) <= limit_rows:
        return spans
    parameters = {**span_parameters(spans), "limit": limit_rows}
    rows = client.query(load_sql("queries/oldest_records"), parameters=parameters).result_rows
    last_offsets = {str(origin): int(last) for origin, last in rows}
    cut = [
        replace(span, to_offset=last_offsets[span.origin]) for span in spans if span.origin in last_offsets
    ]
    return _count_rows(client, cut)


def count_pending(client: Client) -> int:
    """How many raw rows are not processed yet."""
    return _total(_count_rows(client, _pending_spans(client)))


def read_raw(client: Client, ranges: Iterable[OffsetRange], batch_rows: int) -> Iterator[pa.Table]:
    """Streams the raw rows of some ranges in the order received_at, origin, offset, item.

    Args:
        client: A connection; it may be used for other statements at the same time.
        ranges: What to read.
        batch_rows: Rows of each batch; the last may have fewer.

    Yields:
        Rows of `RAW_SCHEMA`. No more than a batch and a block of the engine are in memory at once.
    """
    parts = list(ranges)
    if parts:
        batches = stream_batches(client, "queries/read_raw", span_parameters(parts), RAW_SCHEMA)
        yield from rebatch(batches, batch_rows)


def _pending_spans(client: Client) -> list[OffsetRange]:
    rows = client.query(load_sql("queries/pending_spans")).result_rows
    return [OffsetRange(str(origin), int(first) - 1, int(last)) for origin, first, last in rows]


def _count_rows(client: Client, spans: Sequence[OffsetRange]) -> list[OffsetRange]:
    """The same spans with their numbers of rows."""
    if not spans:
        return []
    counted = client.query(load_sql("queries/count_span_rows"), parameters=span_parameters(spans)).result_rows
    rows = {str(origin): int(count) for origin, count in counted}
    return [replace(span, rows=rows.get(span.origin, 0)) for span in spans]


def _total(ranges: Iterable[OffsetRange]) -> int:
    return sum(part.rows for part in ranges)
