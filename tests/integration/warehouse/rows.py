"""Rows of the tables for tests: what a test says, and something harmless for all the rest."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pyarrow as pa

from clickstream.storage.events import DUPLICATES_SCHEMA, EVENTS_SCHEMA
from clickstream.storage.quarantine import QUARANTINE_SCHEMA
from clickstream.storage.raw import RAW_SCHEMA

START: Final = datetime(2026, 3, 1, tzinfo=UTC)

_RAW: Final[dict[str, Any]] = {
    "source": "csv",
    "origin": "csv/a",
    "item": 0,
    "received_at": START,
    "body": "{}",
    "defect": "",
    "replay_of": "",
}
_EVENT: Final[dict[str, Any]] = {
    "type": "view",
    "created_at": START,
    "received_at": START,
    "session_id": "s1",
    "ip": "192.0.2.1",
    "user_id": 1,
    "url": "https://shop.example/?q=1",
    "url_host": "shop.example",
    "url_path": "/",
    "referrer": "",
    "device_type": "desktop",
    "user_agent": "",
    "is_bot": False,
    "bot_name": "",
    "event_title": "hero",
    "element_id": "#hero",
    "x": None,
    "y": None,
    "payload": "{}",
    "own_fields": [],
    "warnings": [],
    "warning_fields": [],
    "source": "csv",
    "origin": "csv/a",
    "item": 0,
}
_QUARANTINED: Final[dict[str, Any]] = {
    "source": "csv",
    "origin": "csv/a",
    "item": 0,
    "original": "",
    "received_at": START,
    "body": '{"type": "hover"}',
    "reasons": ["unknown_event_type"],
    "errors": [
        {
            "code": "unknown_event_type",
            "field": "type",
            "message": "type must be view or click.",
            "value": "hover",
        }
    ],
}

Row = Mapping[str, Any]


def after(**difference: float) -> datetime:
    """A time after the start, by the arguments of `timedelta`."""
    return START + timedelta(**difference)


def raw_rows(rows: Iterable[Row]) -> pa.Table:
    return pa.Table.from_pylist([{**_RAW, **row} for row in rows], schema=RAW_SCHEMA)


def event_rows(rows: Iterable[Row]) -> pa.Table:
    """Events; the id is the number of the row and the offset is the id where nothing else is said."""
    numbered = [{"id": number, **row} for number, row in enumerate(rows, start=1)]
    return pa.Table.from_pylist(
        [{**_EVENT, "offset": row["id"], **row} for row in numbered], schema=EVENTS_SCHEMA
    )


def duplicate_rows(rows: Iterable[Row]) -> pa.Table:
    defaults = {"source": "csv", "origin": "csv/a", "item": 0, "received_at": START}
    return pa.Table.from_pylist([{**defaults, **row} for row in rows], schema=DUPLICATES_SCHEMA)


def quarantined_rows(rows: Iterable[Row]) -> pa.Table:
    return pa.Table.from_pylist([{**_QUARANTINED, **row} for row in rows], schema=QUARANTINE_SCHEMA)
