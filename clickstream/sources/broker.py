"""Records of the broker as raw rows: whatever a record holds, it becomes rows, and nothing raises.

A record's value is one event as a JSON object, or an array of them. What can't be taken apart becomes one
row with a defect, so that it ends up in the quarantine with its coordinate.
"""

from collections.abc import Iterable, Sequence
from typing import Any, Final, NamedTuple

import msgspec
import numpy as np
import pyarrow as pa

from clickstream.contract import MAX_RECORD_BYTES
from clickstream.event.items import is_array, is_utf8, split_array, without_marks
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
    """The parts of a record that the project uses.

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
        items = split_value(record.value)
        bodies += [item.text for item in items]
        counts.append(len(items))
        for row, item in enumerate(items, first_row):
            if item.defect is not None:
                defects[row] = item.defect.value
    return _table(records, bodies, counts, defects)


class ValueItem(NamedTuple):
    r"""One item of a record's value.

    Attributes:
        text: Its JSON text exactly as sent; bytes that are not UTF-8 as `\xNN`.
        defect: Why it can't be an event; None if that is yet to be judged.
    """

    text: bytes
    defect: ErrorCode | None = None


def split_value(value: bytes | None) -> list[ValueItem]:
    """The items of a value: those of an array, else one.

    An item that can't be read does not take the others with it; a value that can't be taken apart is one item
    with a defect.
    """
    if value is not None:
        value = without_marks(value)
    if not value:
        return [ValueItem(b"", ErrorCode.INVALID_JSON)]
    if len(value) > MAX_VALUE_BYTES:
        return [ValueItem(_beginning(value), ErrorCode.TOO_LARGE)]
    if is_array(value):
        items = split_array(value)
        if items is not None and len(items) > MAX_ITEMS:
            return [ValueItem(_beginning(value), ErrorCode.TOO_LARGE)]
        if items is not None:
            return list(map(_judge_item, items))
    return [_judge_value(value)]


def _judge_value(value: bytes) -> ValueItem:
    if not is_utf8(value):
        text = value.decode(errors="backslashreplace").encode()
        return ValueItem(_kept(text), ErrorCode.INVALID_ENCODING)
    try:
        return _judge_item(bytes(_decoder.decode(value)))
    except (msgspec.DecodeError, RecursionError):
        return ValueItem(_kept(value), ErrorCode.INVALID_JSON)


def _judge_item(item: bytes) -> ValueItem:
    if len(item) > MAX_RECORD_BYTES:
        return ValueItem(_beginning(item), ErrorCode.TOO_LARGE)
    if not is_utf8(item):
        return ValueItem(item.decode(errors="backslashreplace").encode(), ErrorCode.INVALID_ENCODING)
    return ValueItem(item)


_decoder: Final = msgspec.json.Decoder(msgspec.Raw)


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
