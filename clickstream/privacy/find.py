"""Where a person's rows are: every received event that names them, and what became of it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Final

import pyarrow as pa
from clickhouse_connect.driver.client import Client

from clickstream.privacy.naming import pattern_of, people_named_in
from clickstream.storage.arrow import COORDINATE_FIELDS, TIME, column, read_table, schema_of, stream_batches
from clickstream.storage.erasures import Coordinate, coordinate_parameters, known_coordinates
from clickstream.storage.events import COORDINATES_SCHEMA
from clickstream.storage.sql import load_sql
from clickstream.storage.users import USERS_SCHEMA

_RECEIPT_FIELDS: Final = [column("source", pa.string()), *COORDINATE_FIELDS, column("received_at", TIME)]
_STORED_SCHEMA: Final = schema_of([*_RECEIPT_FIELDS, column("date", pa.date32())])
_RAW_SCHEMA: Final = schema_of(
    [*_RECEIPT_FIELDS, column("body", pa.string()), column("replay_of", pa.string())]
)
_REPLAY_SCHEMA: Final = schema_of([*_RECEIPT_FIELDS, column("replay_of", pa.string())])
_QUARANTINED_SCHEMA: Final = schema_of(
    [
        *_RECEIPT_FIELDS,
        column("body", pa.string()),
        column("reasons", pa.list_(pa.string())),
        pa.field("replayed_at", TIME),
        column("is_of_session", pa.uint8()),
    ]
)


@dataclass(slots=True)
class FoundEvent:
    """A received event of a person.

    Attributes:
        source: How it arrived.
        received_at: When.
        fate: stored, duplicate, quarantined or pending.
        body: As received; empty if only its stored form names the person.
        reasons: Error codes, if it is quarantined.
    """

    source: str
    received_at: datetime
    fate: str
    body: str = ""
    reasons: tuple[str, ...] = ()


@dataclass(slots=True)
class Holdings:
    """What the warehouse holds of a person.

    Attributes:
        user: Their row of `users`; None if there is none.
        events: Their received events by coordinate.
        days: The days of their stored events, whose marts count them.
    """

    user: dict[str, Any] | None
    events: dict[Coordinate, FoundEvent] = field(default_factory=dict)
    days: set[date] = field(default_factory=set)

    @property
    def is_empty(self) -> bool:
        """Whether nothing is held."""
        return self.user is None and not self.events

    def by_fate(self) -> dict[str, int]:
        """Numbers of events by what became of them."""
        counts = dict.fromkeys(("stored", "duplicate", "quarantined", "pending"), 0)
        for event in self.events.values():
            counts[event.fate] += 1
        return counts


def find_person(client: Client, user_id: int) -> Holdings:
    """Finds everything that the warehouse holds of a person.

    It reads through the texts of all received events, which takes a minute for twenty million.
    """
    users = read_table(client, "queries/stored_users", {"ids": [user_id]}, USERS_SCHEMA).to_pylist()
    holdings = Holdings(users[0] if users else None)
    _add_stored(client, user_id, holdings)
    _add_quarantined(client, user_id, holdings)
    replays = _add_raw(client, user_id, holdings)
    _add_replayed(client, replays, holdings)
    _tell_duplicates(client, holdings)
    holdings.days |= mart_days(client, user_id)
    return holdings


def mart_days(client: Client, user_id: int) -> set[date]:
    """The days whose marts count a person."""
    rows = client.query(load_sql("queries/person_mart_days"), parameters={"user_id": user_id}).result_rows
    return {day for (day,) in rows}


def _add_stored(client: Client, user_id: int, holdings: Holdings) -> None:
    for row in _rows(client, "queries/person_stored", {"user_id": user_id}, _STORED_SCHEMA):
        holdings.events[_coordinate(row)] = FoundEvent(row["source"], row["received_at"], "stored")
        holdings.days.add(row["date"])


def _add_quarantined(client: Client, user_id: int, holdings: Holdings) -> None:
    """Adds invalid events that name the person, or nobody in a session that is this person's alone."""
    parameters = {"user_id": user_id, "text": str(user_id), "pattern": pattern_of(user_id)}
    for row in _rows(client, "queries/person_quarantined", parameters, _QUARANTINED_SCHEMA):
        named = people_named_in(row["body"])
        if user_id in named or (row["is_of_session"] and not named):
            holdings.events[_coordinate(row)] = FoundEvent(
                row["source"], row["received_at"], "quarantined", row["body"], tuple(row["reasons"])
            )


def _add_raw(client: Client, user_id: int, holdings: Holdings) -> set[Coordinate]:
    """Adds the raw rows that name the person, pending for now; returns which rows they repeat."""
    repeated = set()
    parameters = {"user_id": user_id, "text": str(user_id), "pattern": pattern_of(user_id)}
    for row in _rows(client, "queries/person_raw", parameters, _RAW_SCHEMA):
        coordinate = _coordinate(row)
        found = holdings.events.get(coordinate)
        if found is None and user_id not in people_named_in(row["body"]):
            continue
        if found is None:
            found = FoundEvent(row["source"], row["received_at"], "pending")
            holdings.events[coordinate] = found
        found.body = row["body"]
        if row["replay_of"]:
            repeated.add(_parse_name(row["replay_of"]))
    return repeated


def _add_replayed(client: Client, repeated: set[Coordinate], holdings: Holdings) -> None:
    """Adds what the person's replays repeat: rows that did not name them until somebody mended them."""
    while repeated := repeated - holdings.events.keys():
        wanted, repeated = sorted(repeated), set()
        for parameters in coordinate_parameters(wanted):
            for row in _rows(client, "queries/person_replayed", parameters, _REPLAY_SCHEMA):
                holdings.events[_coordinate(row)] = FoundEvent(
                    row["source"], row["received_at"], "quarantined"
                )
                if row["replay_of"]:
                    repeated.add(_parse_name(row["replay_of"]))


def _tell_duplicates(client: Client, holdings: Holdings) -> None:
    pending = [coordinate for coordinate, event in holdings.events.items() if event.fate == "pending"]
    for coordinate in known_coordinates(client, "queries/person_duplicates", pending):
        holdings.events[coordinate].fate = "duplicate"


def _rows(
    client: Client, query: str, parameters: Mapping[str, Any], schema: pa.Schema
) -> Iterator[dict[str, Any]]:
    for batch in stream_batches(client, query, parameters, schema):
        yield from batch.to_pylist()


def _coordinate(row: dict[str, Any]) -> Coordinate:
    return tuple(row[name] for name in COORDINATES_SCHEMA.names)


def _parse_name(name: str) -> Coordinate:
    origin, offset, item = name.rsplit(":", 2)
    return origin, int(offset), int(item)
