"""Duplicates of a file compared with the stored events of the same ids: the same event, or another one?"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from clickhouse_connect.driver.client import Client

from clickstream.contract import FIELDS
from clickstream.decode import SentEvent, Values, read_record, read_values
from clickstream.event.clocks import settle_clock
from clickstream.event.times import parse_timestamp
from clickstream.storage.sql import load_sql

_SLICE_ROWS: Final = 10_000
"""Duplicates that are compared at once, so that memory stays bounded."""

_OPTIONAL: Final = frozenset(field.name for field in FIELDS if field.is_dispensable)
_IN_COLUMNS: Final = frozenset({"event_title", "element_id", "x", "y"})
"""Fields of the payload that are compared by themselves, in their usual spelling."""


@dataclass(frozen=True, slots=True)
class Duplicate:
    """A line whose id is stored under another coordinate.

    Attributes:
        line: Its number.
        id: The id.
        stored_name: Where the stored event came from, `origin:offset:item`.
        differing: The fields in which it differs from the stored event; None if one of the two texts was
            deleted, so that they can't be compared.
    """

    line: int
    id: int
    stored_name: str
    differing: tuple[str, ...] | None


def stream_duplicates(client: Client, origin: str) -> Iterator[Duplicate]:
    """The duplicates of a file by line, each compared with the stored event.

    Every 10,000 of them cost a pass over the ids of all events: for reports, not for every page.
    """
    line = 0
    while True:
        parameters = {"origin": origin, "after_line": line, "limit": _SLICE_ROWS}
        answer = client.query(load_sql("queries/file_duplicates"), parameters=parameters, tz_mode="aware")
        rows = list(answer.named_results())
        for row in rows:
            line = row["line"]
            yield Duplicate(line, row["id"], row["stored_name"], _compare(row))
        if len(rows) < _SLICE_ROWS:
            return


def _compare(row: dict[str, Any]) -> tuple[str, ...] | None:
    sent = _read(row["body"], row["received_at"])
    stored = _read(row["stored_body"], row["stored_received_at"])
    return differing_fields(sent, stored) if sent and stored else None


def _read(body: str, received_at: datetime) -> Values | None:
    record = read_record(settle_clock(body, int(received_at.timestamp() * 1_000))) if body else None
    return read_values(record) if isinstance(record, SentEvent) else None


def differing_fields(sent: Values, stored: Values) -> tuple[str, ...]:
    """The fields whose values differ, however they are written.

    An optional field that only one of them has is not a difference: the API adds the address and the user
    agent of the client, which a file need not have.
    """
    return tuple(
        name
        for name in Values._fields
        if name not in {"id", "payload_form"} and _differs(name, getattr(sent, name), getattr(stored, name))
    )


def _differs(name: str, sent: Any, stored: Any) -> bool:
    if sent == stored or (name in _OPTIONAL and (sent is None or stored is None)):
        return False
    if name == "created_at":
        return parse_timestamp(sent) != parse_timestamp(stored)
    if name == "user_id":
        return int(sent) != int(stored)
    if name == "payload":
        return _custom(sent) != _custom(stored)
    return True


def _custom(payload: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in payload.items() if name not in _IN_COLUMNS}
