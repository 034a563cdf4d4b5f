"""One batch of valid events: laid out in columns as sent, then parsed into the columns of `events`."""

from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from clickstream.decode import Values
from clickstream.etl.device_memory import DeviceMemory
from clickstream.event.agents import find_bot
from clickstream.event.payloads import own_fields, storable
from clickstream.event.rules import without_unusable
from clickstream.event.urls import split_url
from clickstream.reasons import EventError
from clickstream.steps import hash_content
from clickstream.storage.arrow import schema_of
from clickstream.storage.events import COORDINATES_SCHEMA, EVENTS_SCHEMA
from clickstream.timestamps import parse_timestamps

_DERIVED: Final = frozenset({"url_host", "url_path", "is_bot", "bot_name", "own_fields"})

VALID_SCHEMA: Final = schema_of(
    field.with_nullable(field.nullable or field.name == "device_type")
    for field in EVENTS_SCHEMA
    if field.name not in _DERIVED
)
"""Columns of `events` that are sent; `device_type` is null where it is still to be derived."""

_RECEIVED: Final = ("source", *COORDINATES_SCHEMA.names, "received_at")
_NO_EVENT: Final = (ArithmeticError, LookupError, TypeError, ValueError, pa.ArrowException)
_decode: Final = msgspec.json.Decoder().decode
_encode: Final = msgspec.json.Encoder().encode


class ValidEvent(NamedTuple):
    """An event without errors.

    Attributes:
        values: What was sent.
        skew_ms: By how much `created_at` is moved, since the sender's clock is wrong.
        warnings: What is wrong with optional fields; the event is stored without them.
    """

    values: Values
    skew_ms: int = 0
    warnings: Sequence[EventError] = ()


def lay_out_events(raw: pa.Table, events: Sequence[ValidEvent]) -> pa.Table:
    """Events as rows of `VALID_SCHEMA`.

    Args:
        raw: The rows of `RAW_SCHEMA` in which they came.
        events: What was read from each.

    Raises:
        ValueError: A row is not an event after all; the message names its coordinate.
    """
    try:
        sent = _sent_arrays(events)
    except _NO_EVENT as error:
        broken = next((place for place, event in enumerate(events) if _is_broken(event)), 0)
        origin, offset, item = (raw[name][broken].as_py() for name in COORDINATES_SCHEMA.names)
        raise ValueError(
            f"The row {origin}:{offset}:{item} passed validation but is not an event."
        ) from error
    arrays = [raw[name] if name in _RECEIVED else sent[name] for name in VALID_SCHEMA.names]
    return pa.Table.from_arrays(arrays, schema=VALID_SCHEMA)


def _is_broken(event: ValidEvent) -> bool:
    try:
        _sent_arrays([event])
    except _NO_EVENT:
        return True
    return False


def _sent_arrays(events: Sequence[ValidEvent]) -> dict[str, "pa.Array[Any]"]:
    times = parse_timestamps([event.values.created_at for event in events])
    # Before values that cannot be used are left out, since the id stands for what was sent.
    ids = [
        hash_content(event.values, int(time)) if event.values.id is None else int(event.values.id)
        for event, time in zip(events, times, strict=True)
    ]
    usable = [
        without_unusable(event.values, [warning.field for warning in event.warnings])
        if event.warnings
        else event.values
        for event in events
    ]
    sent = Values._make(zip(*usable, strict=True) if usable else [()] * len(Values._fields))
    columns: dict[str, Sequence[Any]] = {
        "id": ids,
        "type": sent.type,
        "created_at": [int(time) + event.skew_ms for event, time in zip(events, times, strict=True)],
        "session_id": sent.session_id,
        "ip": _or_empty(sent.ip),
        "user_id": list(map(int, sent.user_id)),
        "url": sent.url,
        "referrer": _or_empty(sent.referrer),
        "device_type": sent.device_type,
        "user_agent": _or_empty(sent.user_agent),
        "event_title": sent.event_title,
        "element_id": sent.element_id,
        "x": sent.x,
        "y": sent.y,
        "payload": list(map(_encode, sent.payload)),
        "warnings": [[warning.code.value for warning in event.warnings] for event in events],
        "warning_fields": [[warning.field for warning in event.warnings] for event in events],
    }
    return {name: _array(VALID_SCHEMA.field(name), column) for name, column in columns.items()}


def _array(field: "pa.Field[Any]", column: Sequence[Any]) -> "pa.Array[Any]":
    array: pa.Array[Any] = pa.array(column, field.type)
    if array.null_count and not field.nullable:
        raise ValueError(f"{field.name} is missing")
    return array


def _or_empty(column: Sequence[str | None]) -> list[str]:
    return [text or "" for text in column]


def parse_events(valid: pa.Table, devices: DeviceMemory | None = None) -> pa.Table:
    """Rows of `VALID_SCHEMA` as rows of `EVENTS_SCHEMA`.

    Args:
        valid: The rows.
        devices: Derives the types of device that are not sent.
    """
    user_agents = valid["user_agent"]
    without_type: list[Any] = pc.unique(user_agents.filter(pc.is_null(valid["device_type"]))).to_pylist()
    derived = (devices or DeviceMemory()).derive(without_type)
    payloads: list[Any] = valid["payload"].cast(pa.binary()).to_pylist()
    parsed: dict[str, Any] = {
        "url_host": _of_each(valid["url"], lambda url: split_url(url)[0]),
        "url_path": _of_each(valid["url"], lambda url: split_url(url)[1]),
        "device_type": pc.coalesce(valid["device_type"], _of_each(user_agents, derived.get)),
        "is_bot": _of_each(user_agents, lambda user_agent: find_bot(user_agent) != "", pa.bool_()),
        "bot_name": _of_each(user_agents, find_bot),
        "payload": pa.array(map(storable, payloads), pa.string()),
        "own_fields": pa.array(
            [own_fields(_decode(payload)) for payload in payloads], EVENTS_SCHEMA.field("own_fields").type
        ),
    }
    arrays = [parsed[name] if name in parsed else valid[name] for name in EVENTS_SCHEMA.names]
    return pa.Table.from_arrays(arrays, schema=EVENTS_SCHEMA)


def _of_each(
    column: "pa.ChunkedArray[Any]", derive: Callable[[Any], Any], kind: pa.DataType | None = None
) -> "pa.Array[Any]":
    """What is derived from the values of a column, once for each different one; texts without a `kind`."""
    encoded = column.combine_chunks().dictionary_encode()
    derived = pa.array(list(map(derive, encoded.dictionary.to_pylist())), kind or pa.string())
    return derived.take(encoded.indices)
