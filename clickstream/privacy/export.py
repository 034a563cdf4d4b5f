"""Everything that is known of a person, as JSON for them to take along."""

from datetime import UTC, datetime
from typing import Any

from clickhouse_connect.driver.client import Client

from clickstream.privacy.find import FoundEvent, find_person
from clickstream.storage.erasures import Coordinate
from clickstream.storage.sql import load_sql


def export_user(client: Client, user_id: int) -> dict[str, Any]:
    """What the warehouse holds of a person.

    Returns:
        `user` is their row of `users`, null if there is none; `events` are the valid events with all their
        columns; `received` is what was received, word for word, with what became of it.
    """
    holdings = find_person(client, user_id)
    rows = client.query(
        load_sql("queries/export_events"), parameters={"user_id": user_id}, tz_mode="aware"
    ).named_results()
    return {
        "user_id": user_id,
        "exported_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "user": holdings.user,
        "events": [_plain(row) for row in rows],
        "received": [
            _received(coordinate, event)
            for coordinate, event in sorted(holdings.events.items(), key=lambda pair: pair[1].received_at)
        ],
    }


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value.isoformat() if isinstance(value, datetime) else value for name, value in row.items()}


def _received(coordinate: Coordinate, event: FoundEvent) -> dict[str, Any]:
    return {
        "source": event.source,
        "origin": coordinate[0],
        "offset": coordinate[1],
        "item": coordinate[2],
        "received_at": event.received_at.isoformat(),
        "became": event.fate,
        "reasons": list(event.reasons),
        "body": event.body,
    }
