"""Records of the broker as raw rows: whatever a record holds, it becomes rows, and nothing raises.

A record's value is one event as a JSON object, or an array of them. What can't be taken apart becomes one
row with a defect, so that it ends up in the quarantine with its coordinate.
"""

from collections.abc import Iterable, Sequence
from typing import Any, Final

import msgspec
import numpy as np
import pyarrow as pa

from clickstream.contract import MAX_RECORD_BYTES
from clickstream.reasons import ErrorCode
from clickstream.storage.raw import RAW_SCHEMA

SOURCE_HEADER: Final = "source"
"""Header of a record that says how its events came in; its values are those of `HEADER_SOURCES`."""

HEADER_SOURCES: Final = {b"http": "http", b"tracker": "tracker"}
DEFAULT_SOURCE: Final = "broker"

MAX_VALUE_BYTES: Final = 10 << 20
"""A longer value is not taken apart."""

MAX_ITEMS: Final = 100_000
"""A longer array is not taken apart; 10 MiB of valid events are fewer."""

_MAX_KEPT_BYTES: Final = 4096
"""How much is kept of what is too large."""


class BrokerRecord(msgspec.Struct, frozen=True, gc=False):
    """One record, as far as it matters to us.

    Attributes:
        topic: Its topic.
        partition: Its partition.
        offset: Its offset in the partition.
        received_at_ms: When the broker took it in, milliseconds since 1970.
        source: How its events came in, by its header: http, tracker or broker.
        value: Its bytes; None for a tombstone.
    """

    topic: str
    partition: int
    offset: int
    received_at_ms: int
    source: str
    value: bytes | None

    def __deepcopy__(self, memo: object) -> "BrokerRecord":
        """Itself: it never changes, and Mage copies what goes from block to block."""
        return self

    @property
    def origin(self) -> str:
        """The origin of its rows."""
        return f"{self.topic}/{self.partition}"


def source_of(headers: Iterable[tuple[str, bytes | None]]) -> str:
    """The source that a record's headers name; the last one counts."""
    named = [value for name, value in headers if name == SOURCE_HEADER]
    return HEADER_SOURCES.get(named[-1] or b"", DEFAULT_SOURCE) if named else DEFAULT_SOURCE


def raw_table(records: Sequence[BrokerRecord]) -> pa.Table:
    """The raw rows of some records, as rows of `RAW_SCHEMA` in the records' order.

    A record gives a row for each item of its array, and one for anything else; an empty array gives none.
    """
    bodies: list[bytes] = []
    counts: list[int] = []
    defects: dict[int, str] = {}
    for record in records:
        first_row = len(bodies)
        items, defect = split_value(record.value)
        bodies += items
        counts.append(len(items))
        if defect is not None:
            defects[first_row] = defect.value
        elif record.value is not None and len(record.value) > MAX_RECORD_BYTES:
            _cut_large_items(bodies, first_row, defects)
    return _table(records, bodies, counts, defects)


def split_value(value: bytes | None) -> tuple[list[bytes], ErrorCode | None]:
    """The JSON texts of a value's items, exactly as sent; or its text, and why it can't be taken apart."""
    if not value:
        return [b""], ErrorCode.INVALID_JSON
    if len(value) > MAX_VALUE_BYTES:
        return [_beginning(value)], ErrorCode.TOO_LARGE
    try:
        value.decode()
    except UnicodeDecodeError:
        return [_kept(value.decode(errors="backslashreplace").encode())], ErrorCode.INVALID_ENCODING
    try:
        if value.lstrip(b" \t\r\n").startswith(b"["):
            items = _array_decoder.decode(value)
        else:
            items = [_decoder.decode(value)]
    except (msgspec.DecodeError, RecursionError):
        return [_kept(value)], ErrorCode.INVALID_JSON
    if len(items) > MAX_ITEMS:
        return [_beginning(value)], ErrorCode.TOO_LARGE
    return list(map(bytes, items)), None


_array_decoder: Final = msgspec.json.Decoder(list[msgspec.Raw])
_decoder: Final = msgspec.json.Decoder(msgspec.Raw)


def _cut_large_items(bodies: list[bytes], first_row: int, defects: dict[int, str]) -> None:
    for row in range(first_row, len(bodies)):
        if len(bodies[row]) > MAX_RECORD_BYTES:
            bodies[row] = _beginning(bodies[row])
            defects[row] = ErrorCode.TOO_LARGE.value


def _kept(text: bytes) -> bytes:
    """The text of a broken record, to be looked at and mended; only its beginning if it is very long."""
    return text if len(text) <= MAX_RECORD_BYTES else _beginning(text)


def _beginning(text: bytes) -> bytes:
    return text[:_MAX_KEPT_BYTES].decode(errors="ignore").encode()


def _table(
    records: Sequence[BrokerRecord], bodies: list[bytes], counts: list[int], defects: dict[int, str]
) -> pa.Table:
    """Spreads what belongs to a record over its rows."""
    rows = np.repeat(np.arange(len(records)), counts)
    ends = np.cumsum(counts, dtype=np.int64)
    items = np.arange(len(bodies)) - np.repeat(ends - counts, counts)
    defect_column = np.full(len(bodies), "", dtype=object)
    for row, defect in defects.items():
        defect_column[row] = defect
    columns: dict[str, Any] = {
        "source": pa.array([record.source for record in records], pa.string()).take(rows),
        "origin": pa.array([record.origin for record in records], pa.string()).take(rows),
        "offset": pa.array([record.offset for record in records], pa.uint64()).take(rows),
        "item": pa.array(items, pa.uint32()),
        "received_at": pa.array([record.received_at_ms for record in records], pa.int64()).take(rows),
        "body": pa.array(bodies, pa.binary()).view(pa.string()),
        "defect": pa.array(defect_column, pa.string()),
        "replay_of": pa.array(np.full(len(bodies), "", dtype=object), pa.string()),
    }
    return pa.table([columns[field.name].cast(field.type) for field in RAW_SCHEMA], schema=RAW_SCHEMA)
