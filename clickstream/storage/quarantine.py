"""Invalid events, kept to be shown, fixed and replayed: the table `quarantined_events`."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import pyarrow as pa
from clickhouse_connect.driver.client import Client

from clickstream.reasons import ErrorCode
from clickstream.storage.arrow import (
    COORDINATE_FIELDS,
    TIME,
    column,
    read_table,
    rebatch,
    schema_of,
    stream_batches,
)
from clickstream.storage.events import COORDINATES_SCHEMA
from clickstream.storage.ranges import OffsetRange, span_parameters
from clickstream.storage.raw import REPLAY_ORIGIN
from clickstream.storage.sql import load_sql

_ERROR: Final = pa.struct([(name, pa.string()) for name in ("code", "field", "message", "value")])

QUARANTINE_SCHEMA: Final = schema_of(
    [
        column("source", pa.string()),
        *COORDINATE_FIELDS,
        column("original", pa.string()),
        column("received_at", TIME),
        column("body", pa.string()),
        column("reasons", pa.list_(pa.string())),
        column("errors", pa.list_(_ERROR)),
    ]
)
"""What is written of an invalid event: its raw row, the codes, and each error with its four texts.

`original` is, for a replay, the coordinate under which the event was first received; until it is written, the
coordinate of the row that was sent again, which may be a replay itself.
"""

QUARANTINED_SCHEMA: Final = schema_of(
    [
        *QUARANTINE_SCHEMA,
        column("quarantined_at", TIME),
        pa.field("replayed_at", TIME),
    ]
)
"""What is read of an invalid event."""

_STREAM_ROWS: Final = 10_000
_MARKED_AT_ONCE: Final = 2_000
"""Coordinates of a command are in its address, of which a server reads a mebibyte (`http_max_uri_size`)."""
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_NEVER: Final = datetime(2200, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class QuarantineFilter:
    """Which invalid events to look at.

    Attributes:
        code: Those with this error among theirs; all if None.
        field: Those with a problem in this field; all if empty.
        source: Those that came this way; all if None.
        origin: Those of this file (`csv/<sha256>` or its beginning) or partition (`<topic>/<number>`); all if
            empty.
        session: Those of this session; all if empty.
        line: Those of this line of a file, or of this offset of a partition; all if None.
        text: Those whose body holds this text, in any case; all if empty.
        since: Those received then or later; all if None. Without a zone it is UTC.
        until: Those received before then; all if None. Without a zone it is UTC.
        include_replayed: Also those that have been sent again.
    """

    code: ErrorCode | None = None
    field: str = ""
    source: str | None = None
    origin: str = ""
    session: str = ""
    line: int | None = None
    text: str = ""
    since: datetime | None = None
    until: datetime | None = None
    include_replayed: bool = False

    def parameters(self) -> dict[str, object]:
        """The filter as parameters of the view `quarantined_of`."""
        return {
            "code": self.code.value if self.code else "",
            "field": self.field,
            "source": self.source or "",
            "origin": self.origin,
            "session": self.session,
            "line": -1 if self.line is None else self.line,
            "text": self.text,
            "since_ms": _in_ms(self.since or _EPOCH),
            "until_ms": _in_ms(self.until or _NEVER),
            "include_replayed": int(self.include_replayed),
        }


def _in_ms(moment: datetime) -> int:
    return int((_in_utc(moment) - _EPOCH).total_seconds() * 1_000)


def _in_utc(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def insert_quarantined(client: Client, table: pa.Table) -> None:
    """Keeps invalid events; one whose coordinate is there already takes its place.

    Args:
        client: A connection that may write.
        table: Rows of `QUARANTINE_SCHEMA`.
    """
    if table.num_rows:
        settings = {"max_partitions_per_insert_block": 0}
        rows = _with_originals(client, table.cast(QUARANTINE_SCHEMA))
        client.insert_arrow("quarantined_events", rows, settings=settings)


def _with_originals(client: Client, table: pa.Table) -> pa.Table:
    """The rows; those that repeat a replay name the event that it repeats, so that no chain is followed."""
    names: list[Any] = table["original"].to_pylist()
    repeated = sorted({name for name in names if name.startswith(f"{REPLAY_ORIGIN}:")})
    if not repeated:
        return table
    found = client.query(load_sql("queries/originals"), parameters={"names": repeated})
    first = {str(name): str(original) for name, original in found.result_rows}
    place = table.schema.get_field_index("original")
    originals = pa.array([first.get(name, name) for name in names], pa.string())
    return table.set_column(place, table.schema.field(place), originals)


def known_quarantined(client: Client, ranges: Iterable[OffsetRange]) -> pa.Table:
    """The coordinates within some ranges that are in quarantine: `COORDINATES_SCHEMA`."""
    return read_table(client, "queries/known_quarantined", span_parameters(ranges), COORDINATES_SCHEMA)


def list_quarantined(client: Client, wanted: QuarantineFilter, limit: int) -> pa.Table:
    """The invalid events that were received last: at most `limit` rows of `QUARANTINED_SCHEMA`."""
    parameters = {**wanted.parameters(), "limit": limit}
    return read_table(client, "queries/list_quarantined", parameters, QUARANTINED_SCHEMA)


def unreplayed(
    client: Client, wanted: QuarantineFilter, batch_rows: int = _STREAM_ROWS
) -> Iterator[pa.Table]:
    """Streams the invalid events that were not sent again, oldest first, as tables of `QUARANTINED_SCHEMA`.

    What is marked as replayed while the stream is read does not change what it gives.
    """
    parameters = {**wanted.parameters(), "include_replayed": 0}
    blocks = stream_batches(client, "queries/stream_quarantined", parameters, QUARANTINED_SCHEMA)
    yield from rebatch(blocks, batch_rows)


def mark_replayed(client: Client, coordinates: pa.Table, at: datetime) -> None:
    """Notes when some invalid events were sent again.

    Args:
        client: A connection that may write.
        coordinates: Columns `origin`, `offset` and `item`; others are not looked at.
        at: When.
    """
    names = COORDINATES_SCHEMA.names
    columns: list[list[Any]] = [coordinates.column(name).to_pylist() for name in names]
    marked = list(zip(*columns, strict=True))
    for start in range(0, len(marked), _MARKED_AT_ONCE):
        piece = marked[start : start + _MARKED_AT_ONCE]
        parameters = {
            "origins": sorted({origin for origin, _, _ in piece}),
            "coordinates": piece,
            "replayed_at_ms": int((at - _EPOCH).total_seconds() * 1_000),
        }
        client.command(load_sql("queries/mark_replayed"), parameters=parameters)


def replay_outcome(client: Client, after_offset: int | None) -> dict[str, int]:
    """How many events of the replays past an offset are stored, duplicate and refused again.

    Args:
        client: A connection.
        after_offset: The last offset of the origin `replay` before this replay; None if it was the first one.
    """
    parameters = {"after_offset": -1 if after_offset is None else after_offset}
    (row,) = client.query(load_sql("queries/replay_outcome"), parameters=parameters).named_results()
    return {name: int(count) for name, count in row.items()}


def count_quarantined(client: Client, wanted: QuarantineFilter) -> dict[str, int]:
    """Numbers of invalid events by error code; one with two codes counts under both."""
    rows = client.query(load_sql("queries/count_quarantined"), parameters=wanted.parameters()).result_rows
    return {str(code): int(count) for code, count in rows}
