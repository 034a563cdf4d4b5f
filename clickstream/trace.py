"""The way of events, by id, record, session or user.

Where each came in, what became of it and why, which days of the marts it touched.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from enum import StrEnum
from typing import Any, Final

from clickhouse_connect.driver.client import Client

from clickstream.contract import EventType
from clickstream.errors import BadInputError
from clickstream.reasons import ErrorCode, EventError
from clickstream.storage.marts import MARTS
from clickstream.storage.raw import whole_origin
from clickstream.storage.sql import load_sql

MAX_ID: Final = 2**64 - 1
MAX_RECEIPTS: Final = 500
"""Receipts that are looked up; who repeats an event without end has more."""


_MAX_DIGITS: Final = len(str(MAX_ID))
_SHOWN_CHARACTERS: Final = 100

_RECORD: Final = re.compile(
    r"(?P<origin>[^\s:]+/[^\s:]+|replay):(?P<offset>[0-9]{1,20})(?::(?P<item>[0-9]{1,9}))?"
)
"""An origin is a topic and a partition, a file, or the replays."""

_CLICK_MARTS: Final = frozenset({"click_position_days"})
"""Marts in which views leave no trace."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

Coordinate = tuple[str, int, int]
"""Origin, offset, item."""


class Fate(StrEnum):
    """What became of a received event."""

    STORED = "stored"
    DUPLICATE = "duplicate"
    QUARANTINED = "quarantined"
    PENDING = "pending"
    ERASED = "erased"
    UNACCOUNTED = "unaccounted"
    """Passed by the ETL without a trace: this must never be."""


class TraceState(StrEnum):
    """What is known of an id as a whole."""

    UNKNOWN = "unknown"
    PENDING = "pending"
    STORED = "stored"
    QUARANTINED = "quarantined"
    ERASED = "erased"
    UNACCOUNTED = "unaccounted"


@dataclass(frozen=True, slots=True)
class Receipt:
    """One raw row.

    Attributes:
        source: How it arrived.
        origin: What it was read from.
        offset: Line number or record offset.
        item: Place in the record.
        received_at: When the system received it; of an erased one only the day is known.
        loaded_at: When it was written to `raw_events`; None for an erased one.
        fate: What became of it.
        decided_at: When; None while it is pending.
        event_id: The id under which it is stored or known; None if it is neither.
        created_at: When it happened; None unless it is stored.
        type: view or click; None unless it is stored.
        errors: What is wrong with it, if it is quarantined.
        replayed_at: When it was sent again from the quarantine; None if it was not.
        replay_of: For such a repetition the coordinate that it repeats, `origin:offset:item`, else empty.
        body: As received.
    """

    source: str
    origin: str
    offset: int
    item: int
    received_at: datetime
    loaded_at: datetime | None
    fate: Fate
    decided_at: datetime | None
    event_id: int | None
    created_at: datetime | None
    type: EventType | None
    errors: tuple[EventError, ...]
    replayed_at: datetime | None
    replay_of: str
    body: str

    @property
    def coordinate(self) -> Coordinate:
        """What names it."""
        return self.origin, self.offset, self.item

    @property
    def name(self) -> str:
        """What names it, as text."""
        return f"{self.origin}:{self.offset}:{self.item}"


@dataclass(frozen=True, slots=True)
class TouchedDay:
    """A day of the marts in which the event counts.

    Attributes:
        date: The day (UTC) on which it happened.
        marts: The marts with a part for that day.
        rebuilt_at: When they were first built with the event; None if they are not yet.
        run_id: The run that rebuilt it; None if it has not been rebuilt yet.
    """

    date: date
    marts: tuple[str, ...]
    rebuilt_at: datetime | None
    run_id: str | None


@dataclass(frozen=True, slots=True)
class Trace:
    """All that is known of what was asked for.

    Attributes:
        id: The id that was asked for; None if a record, session or user was.
        state: What became of it as a whole; stored if any receipt of it is.
        receipts: The raw rows, first received first.
        days: The days of the marts that it touched.
        receipts_left_out: How many receipts there are beyond those that were looked up.
    """

    id: int | None
    state: TraceState
    receipts: tuple[Receipt, ...]
    days: tuple[TouchedDay, ...]
    receipts_left_out: int


@dataclass(frozen=True, slots=True)
class Record:
    """A record of an origin, or one item of it.

    Attributes:
        origin: What it was read from.
        offset: Line number or record offset.
        item: Place in the record; None for all of it.
    """

    origin: str
    offset: int
    item: int | None = None


def parse_record(text: str) -> Record | None:
    """What `origin:offset` or `origin:offset:item` names; None if the text is neither."""
    parts = _RECORD.fullmatch(text.strip())
    if parts is None or int(parts["offset"]) > MAX_ID:
        return None
    return Record(
        parts["origin"], int(parts["offset"]), None if parts["item"] is None else int(parts["item"])
    )


def parse_id(text: str) -> int:
    """An event's id as users write it.

    Raises:
        BadInputError: The text is not an event id.
    """
    digits = text.strip()
    # Python reads no numbers of thousands of digits, not even of zeros.
    number = digits.lstrip("0") or "0"
    if not (digits.isascii() and digits.isdigit() and len(number) <= _MAX_DIGITS and int(number) <= MAX_ID):
        shown = text if len(text) <= _SHOWN_CHARACTERS else f"{text[:_SHOWN_CHARACTERS]}…"
        raise BadInputError(f"{shown!r} is not an event id: ids are whole numbers from 0 to {MAX_ID}.")
    return int(number)


def trace_event(client: Client, event_id: int) -> Trace:
    """Follows an event.

    It looks through the ids of all events and the texts of the quarantine: for operators, not for every page.

    Args:
        client: A connection; reading is enough.
        event_id: The id.

    Returns:
        What is known; `UNKNOWN` and no receipts if nothing is.
    """
    parameters = {"id": event_id, "text": str(event_id)}
    return _trace(client, "trace_coordinates", parameters, event_id)


def trace_record(client: Client, record: Record) -> Trace:
    """Follows the events of a record, by the names that commands print.

    Raises:
        BadInputError: The origin is the beginning of several files.
    """
    item = -1 if record.item is None else record.item
    origin = whole_origin(client, record.origin)
    parameters = {"origin": origin, "offset": record.offset, "item": item}
    return _trace(client, "trace_record", parameters)


def trace_session(client: Client, session_id: str) -> Trace:
    """Follows the events of a session, those received last if there are many."""
    return _trace(client, "trace_field", {"field": "session_id", "text": session_id})


def trace_user(client: Client, user_id: int) -> Trace:
    """Follows the events of a user, those received last if there are many."""
    return _trace(client, "trace_field", {"field": "user_id", "text": str(user_id)})


def _trace(
    client: Client, query: str, parameters: Mapping[str, object], event_id: int | None = None
) -> Trace:
    with_limit = {**parameters, "limit": MAX_RECEIPTS}
    rows = client.query(load_sql(f"queries/{query}"), parameters=with_limit).result_rows
    left_out = rows[0][-1] - len(rows) if rows else 0
    receipts = _follow_replays(client, {_coordinate(row[:-1]) for row in rows})
    stored = [receipt for receipt in receipts if receipt.fate is Fate.STORED]
    return Trace(event_id, _judge(receipts), receipts, _find_days(client, stored), left_out)


def _follow_replays(client: Client, found: set[Coordinate]) -> tuple[Receipt, ...]:
    """The raw rows of some coordinates, of what these repeat, and of what repeats these."""
    known: set[Coordinate] = set()
    receipts: tuple[Receipt, ...] = ()
    while found > known:
        known = set(found)
        receipts = _read_receipts(client, known)
        found |= {_parse_name(receipt.replay_of) for receipt in receipts if receipt.replay_of}
        replayed = [receipt.name for receipt in receipts if receipt.fate is Fate.QUARANTINED]
        if replayed:
            again = client.query(load_sql("queries/trace_replays"), parameters={"names": replayed})
            found |= {_coordinate(row) for row in again.result_rows}
    return receipts


def _read_receipts(client: Client, coordinates: Iterable[Coordinate]) -> tuple[Receipt, ...]:
    wanted = sorted(coordinates)
    parameters = {
        "origins": sorted({origin for origin, _, _ in wanted}),
        "offsets": sorted({offset for _, offset, _ in wanted}),
        "coordinates": wanted,
    }
    # So that the times come with their zone.
    answer = client.query(load_sql("queries/trace_receipts"), parameters=parameters, tz_mode="aware")
    receipts = tuple(_make_receipt(row) for row in answer.named_results())
    if len(receipts) == len(wanted):
        return receipts
    erased = client.query(load_sql("queries/trace_erased"), parameters=parameters, tz_mode="aware")
    known = {receipt.coordinate for receipt in receipts}
    gone = [_erased_receipt(row) for row in erased.named_results()]
    return (*receipts, *(receipt for receipt in gone if receipt.coordinate not in known))


def _make_receipt(row: dict[str, Any]) -> Receipt:
    errors = tuple(
        EventError(ErrorCode(error["code"]), error["field"], error["message"], error["value"])
        for error in row["errors"] or ()
    )
    event_type = EventType(row["type"]) if row["type"] else None
    return Receipt(**{**row, "fate": Fate(row["fate"]), "type": event_type, "errors": errors})


def _erased_receipt(row: dict[str, Any]) -> Receipt:
    received_at = datetime.combine(row["received_date"], time(), UTC)
    return Receipt(
        source=row["source"],
        origin=row["origin"],
        offset=row["offset"],
        item=row["item"],
        received_at=received_at,
        loaded_at=None,
        fate=Fate.ERASED,
        decided_at=row["erased_at"],
        event_id=None,
        created_at=None,
        type=None,
        errors=(),
        replayed_at=None,
        replay_of="",
        body="",
    )


def _find_days(client: Client, stored: Sequence[Receipt]) -> tuple[TouchedDay, ...]:
    """The days in which some events count, each once and with the run that has built all of it."""
    latest: dict[tuple[date, bool], datetime] = {}
    for receipt in stored:
        if receipt.created_at is None or receipt.decided_at is None:
            raise ValueError(f"{receipt.name} is stored, but not when.")
        key = (receipt.created_at.astimezone(UTC).date(), receipt.type is EventType.CLICK)
        latest[key] = max(latest.get(key, receipt.decided_at), receipt.decided_at)
    return tuple(
        _find_day(client, day, is_click=is_click, since=since)
        for (day, is_click), since in sorted(latest.items())
    )


def _find_day(client: Client, day: date, *, is_click: bool, since: datetime) -> TouchedDay:
    parameters = {"day": day, "since_ms": int((since - _EPOCH).total_seconds() * 1_000)}
    runs = client.query(load_sql("queries/trace_rebuild"), parameters=parameters, tz_mode="aware").result_rows
    marts = tuple(name for name in MARTS if is_click or name not in _CLICK_MARTS)
    run_id, _, rebuilt_at = runs[0] if runs else (None, None, None)
    return TouchedDay(day, marts, rebuilt_at, run_id)


def _judge(receipts: Sequence[Receipt]) -> TraceState:
    """The state that says most: what is stored stays so, whatever else came."""
    fates = {receipt.fate for receipt in receipts}
    if fates & {Fate.STORED, Fate.DUPLICATE}:
        return TraceState.STORED
    for state in (
        TraceState.UNACCOUNTED,
        TraceState.PENDING,
        TraceState.QUARANTINED,
        TraceState.ERASED,
    ):
        if Fate(state.value) in fates:
            return state
    return TraceState.UNKNOWN


def _coordinate(row: Sequence[Any]) -> Coordinate:
    origin, offset, item = row
    return str(origin), int(offset), int(item)


def _parse_name(name: str) -> Coordinate:
    origin, offset, item = name.rsplit(":", 2)
    return origin, int(offset), int(item)
