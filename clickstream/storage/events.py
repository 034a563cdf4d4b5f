"""Clean events and duplicates: the tables `events` and `duplicate_events`."""

from collections.abc import Iterable
from typing import Any, Final

import pyarrow as pa
from clickhouse_connect.driver.client import Client

from clickstream.storage.arrow import COORDINATE_FIELDS, TIME, column, read_table, schema_of
from clickstream.storage.ranges import OffsetRange, span_parameters

EVENTS_SCHEMA: Final = schema_of(
    [
        column("id", pa.uint64()),
        column("type", pa.string()),
        column("created_at", TIME),
        column("received_at", TIME),
        column("session_id", pa.string()),
        column("ip", pa.string()),
        column("user_id", pa.uint64()),
        column("url", pa.string()),
        column("url_host", pa.string()),
        column("url_path", pa.string()),
        column("referrer", pa.string()),
        column("device_type", pa.string()),
        column("user_agent", pa.string()),
        column("is_bot", pa.bool_()),
        column("bot_name", pa.string()),
        column("event_title", pa.string()),
        column("element_id", pa.string()),
        pa.field("x", pa.uint32()),
        pa.field("y", pa.uint32()),
        column("payload", pa.string()),
        column("own_fields", pa.map_(pa.string(), pa.string())),
        column("warnings", pa.list_(pa.string())),
        column("warning_fields", pa.list_(pa.string())),
        column("source", pa.string()),
        *COORDINATE_FIELDS,
    ]
)
"""Columns of `events` but for `stored_at`, which the database fills in; `payload` is JSON text."""

DUPLICATES_SCHEMA: Final = schema_of(
    [
        column("id", pa.uint64()),
        column("source", pa.string()),
        *COORDINATE_FIELDS,
        column("received_at", TIME),
    ]
)
"""Columns of `duplicate_events` but for `recorded_at`, which the database fills in."""

STORED_SCHEMA: Final = schema_of([column("id", pa.uint64()), *COORDINATE_FIELDS])
"""Columns of `find_stored`."""

COORDINATES_SCHEMA: Final = schema_of(COORDINATE_FIELDS)
"""Columns of `known_duplicates` and `known_quarantined`."""

_SETTINGS: Final = {
    # A batch of old events may reach over any number of months.
    "max_partitions_per_insert_block": 0,
}
_EVENT_SETTINGS: Final = {
    **_SETTINGS,
    # A dot in a key does not separate steps of a path, so that {"a.b": 1, "a": {"b": 2}} keeps both.
    "json_type_escape_dots_in_keys": 1,
    # An insert does not fail for a key that JSON repeats; the decoder has kept the last one already.
    "type_json_skip_duplicated_paths": 1,
    # A text that looks like a date stays the text that was sent.
    "input_format_try_infer_dates": 0,
    "input_format_try_infer_datetimes": 0,
}


def insert_events(client: Client, table: pa.Table) -> None:
    """Inserts events, which must not be stored yet (`find_stored`).

    Killed half-way, some months of the events may be there and others not: look up again which are.

    Every payload that the contract allows is taken, as `clickstream.event.payloads.storable` gives it. In it,
    null and empty objects become nothing, integers beyond 64 bits are texts, and a dot in a key is `%2E` in
    the path: payload.`utm%2Esource`; `raw_events` keeps what was sent.

    Args:
        client: A connection that may write.
        table: Rows of `EVENTS_SCHEMA`.
    """
    if table.num_rows:
        names = ["payload_text" if name == "payload" else name for name in EVENTS_SCHEMA.names]
        rows = table.cast(EVENTS_SCHEMA).rename_columns(names)
        client.insert_arrow("events", rows, settings=_EVENT_SETTINGS)


def find_stored(client: Client, ids: "pa.Array[Any] | pa.ChunkedArray[Any]") -> pa.Table:
    """Which ids are stored, and under which coordinate.

    Its cost is one pass over the ids of all events, nearly whatever the number of ids that are asked for.

    Args:
        client: A connection.
        ids: Unsigned 64-bit integers, in any order.

    Returns:
        `STORED_SCHEMA`: a row for each id that is stored, in no order.
    """
    if len(ids) == 0:
        return STORED_SCHEMA.empty_table()
    return read_table(client, "queries/find_stored", {"ids": ids.to_pylist()}, STORED_SCHEMA)


def insert_duplicates(client: Client, table: pa.Table) -> None:
    """Records raw rows whose id is stored under another coordinate; they must not be known yet.

    Args:
        client: A connection that may write.
        table: Rows of `DUPLICATES_SCHEMA`.
    """
    if table.num_rows:
        client.insert_arrow("duplicate_events", table.cast(DUPLICATES_SCHEMA), settings=_SETTINGS)


def known_duplicates(client: Client, ranges: Iterable[OffsetRange]) -> pa.Table:
    """The coordinates within some ranges that are recorded as duplicates: `COORDINATES_SCHEMA`."""
    return read_table(client, "queries/known_duplicates", span_parameters(ranges), COORDINATES_SCHEMA)
