"""Two judges of one record, apart from each other: the decoder and Great Expectations."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa

from clickstream.decode import SentEvent, Values, read_record, read_values
from clickstream.etl.parsing import ValidEvent, lay_out_events, parse_events
from clickstream.event.rules import Receipt, find_problems, is_warning
from clickstream.reasons import ErrorCode, EventError
from clickstream.sightings import sight, sight_fields
from clickstream.storage.raw import RAW_SCHEMA
from clickstream.validation import DEFECT, judge_rows

RECEIVED_AT_MS = 1_735_725_600_000
"""2025-01-01T10:00:00Z."""

RECEIPT = Receipt(received_at_ms=RECEIVED_AT_MS, future_allowed_ms=300_000)

VALID_EVENT: Mapping[str, Any] = {
    "id": 7,
    "type": "click",
    "created_at": "2025-01-01T10:00:00Z",
    "session_id": "s-1",
    "ip": "203.0.113.7",
    "user_id": 42,
    "url": "/catalog?foo=bar",
    "referrer": "https://example.com/",
    "device_type": "mobile",
    "user_agent": "Mozilla/5.0 (iPhone) Mobile",
    "payload": {"event_title": "checkout", "element_id": "#submit-button", "x": 445, "y": 315},
}


def broken(**changes: Any) -> str:
    """The valid event with other values; `payload__x` is a field of the payload, `...` removes one."""
    event = json.loads(json.dumps(VALID_EVENT))
    for name, value in changes.items():
        target, key = (event["payload"], name.removeprefix("payload__")) if "__" in name else (event, name)
        if value is ...:
            del target[key]
        else:
            target[key] = value
    return json.dumps(event)


def decoder_problems(body: str) -> list[EventError]:
    """What the decoder finds, errors and warnings."""
    sent = read_record(body)
    return [sent] if isinstance(sent, EventError) else find_problems(read_values(sent), RECEIPT)


def decoder_errors(body: str) -> list[EventError]:
    """What the decoder finds that costs the event."""
    return [problem for problem in decoder_problems(body) if not is_warning(problem)]


def decoder_warnings(body: str) -> list[EventError]:
    """What the decoder finds that costs only a value."""
    return [problem for problem in decoder_problems(body) if is_warning(problem)]


def expectation_verdicts(bodies: Sequence[str]) -> list[tuple[set[ErrorCode], set[ErrorCode]]]:
    """What Great Expectations finds, errors and warnings, for each body."""
    records = [read_record(body) for body in bodies]
    defects = [record.code.value if isinstance(record, EventError) else "" for record in records]
    unreadable = judge_rows({"": sight(defects, DEFECT)}, "records", future_allowed_ms=300_000)
    errors = [set(unreadable.errors.get(row, ())) for row in range(len(bodies))]
    warnings: list[set[ErrorCode]] = [set() for _ in bodies]
    readable = [row for row, record in enumerate(records) if not isinstance(record, EventError)]
    values = [read_values(record) for record in records if not isinstance(record, EventError)]
    sightings = sight_fields(values, [RECEIVED_AT_MS] * len(values))
    found = judge_rows(sightings, "events", future_allowed_ms=300_000)
    for place, row in enumerate(readable):
        errors[row] |= set(found.errors.get(place, ()))
        warnings[row] |= set(found.warnings.get(place, ()))
    return list(zip(errors, warnings, strict=True))


def expectation_codes(bodies: Sequence[str]) -> list[set[ErrorCode]]:
    """What Great Expectations finds that costs the event, for each body."""
    return [errors for errors, _ in expectation_verdicts(bodies)]


def valid_rows(bodies: Sequence[str]) -> pa.Table:
    """The bodies as rows that passed validation, whatever is wrong with them."""
    rows = [
        {
            "source": "broker",
            "origin": "topic/0",
            "offset": 10 + place,
            "item": 3,
            "received_at": RECEIVED_AT_MS,
            "body": body,
            "defect": "",
            "replay_of": "",
        }
        for place, body in enumerate(bodies)
    ]
    events = [ValidEvent(_read(body), warnings=decoder_warnings(body)) for body in bodies]
    return lay_out_events(pa.Table.from_pylist(rows, schema=RAW_SCHEMA), events)


def _read(body: str) -> Values:
    sent = read_record(body)
    assert isinstance(sent, SentEvent)
    return read_values(sent)


def stored_events(*bodies: str) -> list[dict[str, Any]]:
    """The bodies as rows of `events`, times in milliseconds."""
    events = parse_events(valid_rows(bodies))
    times = events["created_at"].cast(pa.int64()).to_pylist()
    rows = events.drop_columns(["created_at", "received_at"]).to_pylist()
    return [{**row, "created_at": time} for row, time in zip(rows, times, strict=True)]
