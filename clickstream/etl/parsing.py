"""One batch of raw rows in which nothing was found wrong: parsed into the columns of `events`."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec
import pyarrow as pa

from clickstream.decode import SentEvent, Values, read_record, read_values
from clickstream.etl.device_memory import DeviceMemory
from clickstream.event.agents import find_bot
from clickstream.event.clocks import clock_skew_ms
from clickstream.event.payloads import keep_keys_apart, own_fields
from clickstream.event.rules import without_unusable
from clickstream.event.urls import split_url
from clickstream.steps import hash_content
from clickstream.storage.events import COORDINATES_SCHEMA, EVENTS_SCHEMA
from clickstream.storage.raw import VALID_SCHEMA
from clickstream.timestamps import parse_timestamps

_NO_EVENT: Final = (ArithmeticError, LookupError, TypeError, ValueError, pa.ArrowException)
_encode: Final = msgspec.json.Encoder().encode


def parse_events(valid: pa.Table, devices: DeviceMemory | None = None) -> pa.Table:
    """Rows of `VALID_SCHEMA` as rows of `EVENTS_SCHEMA`.

    Args:
        valid: The rows.
        devices: Derives the types of device that are not sent.

    Raises:
        ValueError: A row is not an event after all; the message names its coordinate.
    """
    bodies: list[Any] = valid["body"].to_pylist()
    unusable: list[Any] = valid["warning_fields"].to_pylist()
    received_at_ms: list[Any] = valid["received_at"].cast(pa.int64()).to_pylist()
    try:
        made = _make_arrays(bodies, unusable, received_at_ms, devices or DeviceMemory())
    except _NO_EVENT as error:
        broken = _find_broken(bodies, unusable)
        origin, offset, item = (valid[name][broken].as_py() for name in COORDINATES_SCHEMA.names)
        raise ValueError(
            f"The row {origin}:{offset}:{item} passed validation but is not an event."
        ) from error
    arrays = [valid[name] if name in VALID_SCHEMA.names else made[name] for name in EVENTS_SCHEMA.names]
    return pa.Table.from_arrays(arrays, schema=EVENTS_SCHEMA)


def _make_arrays(
    bodies: Sequence[str],
    unusable: Sequence[Sequence[str]],
    received_at_ms: Sequence[int],
    devices: DeviceMemory,
) -> dict[str, "pa.Array[Any]"]:
    records = [_read_valid(body) for body in bodies]
    columns = dict(make_columns(list(map(read_values, records)), unusable, devices))
    if any(record.sent_at is not None for record in records):
        columns["created_at"] = [
            int(created_at) + clock_skew_ms(record.sent_at, at_ms)
            for record, created_at, at_ms in zip(records, columns["created_at"], received_at_ms, strict=True)
        ]
    return {name: pa.array(column, EVENTS_SCHEMA.field(name).type) for name, column in columns.items()}


def _read_valid(body: str) -> SentEvent:
    record = read_record(body)
    if not isinstance(record, SentEvent):
        raise ValueError(record.message)
    return record


def _find_broken(bodies: Sequence[str], unusable: Sequence[Sequence[str]]) -> int:
    """The place of the first body that can't be parsed by itself; the first of all if each can."""
    for place, (body, fields) in enumerate(zip(bodies, unusable, strict=True)):
        try:
            _make_arrays([body], [fields], [0], DeviceMemory())
        except _NO_EVENT:
            return place
    return 0


def make_columns(
    values: Sequence[Values], unusable: Sequence[Sequence[str]] = (), devices: DeviceMemory | None = None
) -> Mapping[str, Sequence[Any]]:
    """Makes the columns of `events` of values in which `rules.find_errors` found nothing.

    `created_at` is in milliseconds since 1970, and `payload` the whole payload as JSON text.

    Args:
        values: The values of each event.
        unusable: For each event the fields that it is stored without, since a warning is about them; empty
            if there are no warnings.
        devices: Derives the types of device that are not sent.
    """
    times = parse_timestamps([event.created_at for event in values])
    ids = [
        hash_content(event, int(created_at)) if event.id is None else int(event.id)
        for event, created_at in zip(values, times, strict=True)
    ]
    if any(unusable):
        values = [
            without_unusable(event, fields) if fields else event
            for event, fields in zip(values, unusable, strict=True)
        ]
    sent = Values._make(zip(*values, strict=True) if values else [()] * len(Values._fields))
    user_agents = _or_empty(sent.user_agent)
    bots = {user_agent: find_bot(user_agent) for user_agent in set(user_agents)}
    derived = (devices or DeviceMemory()).derive(
        user_agent
        for device_type, user_agent in zip(sent.device_type, user_agents, strict=True)
        if device_type is None
    )
    hosts_and_paths = [split_url(url) for url in sent.url]
    return {
        "id": ids,
        "type": sent.type,
        "created_at": times,
        "session_id": sent.session_id,
        "ip": _or_empty(sent.ip),
        "user_id": [int(user_id) for user_id in sent.user_id],
        "url": sent.url,
        "url_host": [host for host, _ in hosts_and_paths],
        "url_path": [path for _, path in hosts_and_paths],
        "referrer": _or_empty(sent.referrer),
        "device_type": [
            device_type or derived[user_agent]
            for device_type, user_agent in zip(sent.device_type, user_agents, strict=True)
        ],
        "user_agent": user_agents,
        "is_bot": [bots[user_agent] != "" for user_agent in user_agents],
        "bot_name": [bots[user_agent] for user_agent in user_agents],
        "event_title": sent.event_title,
        "element_id": sent.element_id,
        "x": sent.x,
        "y": sent.y,
        "payload": list(map(keep_keys_apart, map(_encode, sent.payload))),
        "own_fields": list(map(own_fields, sent.payload)),
    }


def _or_empty(column: Sequence[str | None]) -> list[str]:
    return [text or "" for text in column]
