"""One batch of raw rows in which nothing was found wrong: parsed into the columns of `events`."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec
import pyarrow as pa

from clickstream.decode import SentEvent, Values, read_record, read_values
from clickstream.steps import derive_device_type, hash_content, split_url
from clickstream.storage.events import COORDINATES_SCHEMA, EVENTS_SCHEMA
from clickstream.storage.raw import RAW_SCHEMA
from clickstream.timestamps import parse_timestamps

_NO_EVENT: Final = (ArithmeticError, LookupError, TypeError, ValueError, pa.ArrowException)
_encode: Final = msgspec.json.Encoder().encode


def parse_events(valid: pa.Table) -> pa.Table:
    """Raw rows that passed validation, as rows of `EVENTS_SCHEMA`.

    Raises:
        ValueError: A row is no event after all; the message names its coordinate.
    """
    bodies: list[Any] = valid["body"].to_pylist()
    try:
        made = _make_arrays(bodies)
    except _NO_EVENT as error:
        origin, offset, item = (
            valid[name][_find_broken(bodies)].as_py() for name in COORDINATES_SCHEMA.names
        )
        raise ValueError(f"The row {origin}:{offset}:{item} passed validation but is no event.") from error
    arrays = [valid[name] if name in RAW_SCHEMA.names else made[name] for name in EVENTS_SCHEMA.names]
    return pa.Table.from_arrays(arrays, schema=EVENTS_SCHEMA)


def _make_arrays(bodies: Sequence[str]) -> dict[str, "pa.Array[Any]"]:
    columns = make_columns([_read_valid(body) for body in bodies])
    return {name: pa.array(column, EVENTS_SCHEMA.field(name).type) for name, column in columns.items()}


def _read_valid(body: str) -> Values:
    record = read_record(body)
    if not isinstance(record, SentEvent):
        raise ValueError(record.message)
    return read_values(record)


def _find_broken(bodies: Sequence[str]) -> int:
    """The place of the first body that can't be parsed by itself; the first of all if each can."""
    for place, body in enumerate(bodies):
        try:
            _make_arrays([body])
        except _NO_EVENT:
            return place
    return 0


def make_columns(values: Sequence[Values]) -> Mapping[str, Sequence[Any]]:
    """Makes the columns of `events` of values in which `decode.find_errors` found nothing.

    `created_at` is in milliseconds since 1970, and `payload` the whole payload as JSON text.
    """
    sent = Values._make(zip(*values, strict=True) if values else [()] * len(Values._fields))
    created_at = parse_timestamps(sent.created_at)
    user_agents = _or_empty(sent.user_agent)
    hosts_and_paths = [split_url(url) for url in sent.url]
    return {
        "id": [
            hash_content(values[row], int(created_at[row])) if sent_id is None else int(sent_id)
            for row, sent_id in enumerate(sent.id)
        ],
        "type": sent.type,
        "created_at": created_at,
        "session_id": sent.session_id,
        "ip": _or_empty(sent.ip),
        "user_id": [int(user_id) for user_id in sent.user_id],
        "url": sent.url,
        "url_host": [host for host, _ in hosts_and_paths],
        "url_path": [path for _, path in hosts_and_paths],
        "referrer": _or_empty(sent.referrer),
        "device_type": [
            device_type or derive_device_type(user_agent)
            for device_type, user_agent in zip(sent.device_type, user_agents, strict=True)
        ],
        "user_agent": user_agents,
        "event_title": sent.event_title,
        "element_id": sent.element_id,
        "x": sent.x,
        "y": sent.y,
        "payload": [_encode(payload) for payload in sent.payload],
    }


def _or_empty(column: Sequence[str | None]) -> list[str]:
    return [text or "" for text in column]
