"""What the page Events asks: the last events from ClickHouse, where some are, and the API to take one."""

import secrets
from dataclasses import dataclass
from typing import Any, Final

import httpx
import msgspec
from clickhouse_connect.driver.exceptions import ClickHouseError

from clickstream.errors import BadInputError, ClickstreamError, ServiceUnavailableError
from clickstream.privacy.naming import parse_user_id
from clickstream.settings import get_settings
from clickstream.trace import (
    Trace,
    parse_id,
    parse_record,
    trace_event,
    trace_record,
    trace_session,
    trace_user,
)
from control_panel.clients.readings import shared
from control_panel.clients.warehouse import explained, rows, warehouse

_SHOWN: Final = 100
_RECORDS: Final = 200
_SEND_SECONDS: Final = 10.0
_ID_BITS: Final = 53
"""Ids that every JSON reader can hold."""


@dataclass(frozen=True, slots=True)
class ReceivedEvent:
    """One of the last events.

    Attributes:
        record: What names it, `origin:offset:item`.
        source: How it arrived.
        received_at: When.
        fate: What became of it so far.
        fields: Those of its fields that can be read.
    """

    record: str
    source: str
    received_at: Any
    fate: str
    fields: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Answer:
    """What the API said of an event that was sent.

    Attributes:
        status: Its HTTP status.
        event_id: The id under which the event can be followed.
        is_taken: Whether it was accepted, or refused but kept in quarantine.
        body: The answer.
    """

    status: int
    event_id: int
    is_taken: bool
    body: dict[str, Any]


@shared(seconds=1.5)
def latest(source: str, text: str) -> list[ReceivedEvent]:
    """The events received last, the latest first; of a source and with a text, each empty for any."""
    found = rows("latest_events", source=source, text=text, limit=_SHOWN, records=_RECORDS)
    return [
        ReceivedEvent(
            record=f"{row['origin']}:{row['offset']}:{row['item']}",
            source=row["source"],
            received_at=row["received_at"],
            fate=row["fate"],
            fields=read_fields(row["body"]),
        )
        for row in found
    ]


@shared(seconds=1)
def look_up(kind: str, what: str) -> Trace:
    """Where events are.

    Args:
        kind: id, record, session or user.
        what: Which.

    Raises:
        BadInputError: The text does not name one.
        ClickstreamError: ClickHouse can't be asked.
    """
    try:
        match kind:
            case "id":
                return trace_event(warehouse(), parse_id(what))
            case "user":
                return trace_user(warehouse(), parse_user_id(what))
            case "session":
                return trace_session(warehouse(), what)
        record = parse_record(what)
        if record is None:
            raise BadInputError(
                f"{what!r} is not a record.", hint="Records look like clickstream.events/0:1842:0."
            )
        return trace_record(warehouse(), record)
    except ClickHouseError as error:
        raise explained(error) from error


def likely_kind(kind: str, what: str) -> str:
    """What a text names: the kind that was chosen, unless the text can't be one and can be another.

    Args:
        kind: id, record, session or user.
        what: The text.
    """
    if kind in {"id", "user"} and not what.isdecimal():
        return "session" if parse_record(what) is None else "record"
    return kind


def read_fields(body: str) -> dict[str, Any]:
    """The fields of a body; nothing if it is not a JSON object."""
    try:
        event = msgspec.json.decode(body)
        if isinstance(event, dict) and isinstance(payload := event.get("payload"), str):
            event["payload"] = msgspec.json.decode(payload)
    except (msgspec.DecodeError, RecursionError):
        return {}
    if not isinstance(event, dict):
        return {}
    payload = event.pop("payload", None)
    return {
        **event,
        **({f"payload.{key}": value for key, value in payload.items()} if isinstance(payload, dict) else {}),
    }


def send_event(text: str) -> Answer:
    """Sends one event to the API, with an id of its own if it has none.

    Raises:
        BadInputError: The text is not a JSON object.
        ClickstreamError: The API does not answer, or refuses the request itself.
    """
    try:
        event = msgspec.json.decode(text)
    except msgspec.DecodeError as error:
        raise BadInputError(
            f"This is not valid JSON: {error}.", hint="Correct it and send it again."
        ) from error
    if not isinstance(event, dict):
        raise BadInputError("One event is one JSON object.", hint="Send {…}, not a list or a text.")
    event.setdefault("id", secrets.randbits(_ID_BITS))
    response = _post(event)
    try:
        body = response.json()
    except ValueError:
        body = {}
    if response.status_code not in {200, 202, 422}:
        message = body.get("message") or body.get("error") or response.text[:200]
        raise ClickstreamError(f"The API refused the request ({response.status_code}): {message}")
    try:
        event_id = parse_id(str(event["id"]))
    except BadInputError:
        event_id = -1
    return Answer(response.status_code, event_id, response.status_code != 422 or event_id >= 0, body)


def _post(event: dict[str, Any]) -> httpx.Response:
    settings = get_settings()
    address = f"http://{settings.api.host}:{settings.api.port}/events"
    key = settings.generator.write_key
    headers = {"Authorization": f"Bearer {key.get_secret_value()}"} if key else {}
    try:
        return httpx.post(address, json=[event], headers=headers, timeout=_SEND_SECONDS)
    except httpx.HTTPError as error:
        raise ServiceUnavailableError(
            f"The API does not answer at {address}.", hint="make status shows its state."
        ) from error
