"""Two judges of one record, apart from each other: the decoder and Great Expectations."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from clickstream.decode import read_record, read_values
from clickstream.event.rules import Receipt, find_problems, is_warning
from clickstream.reasons import ErrorCode, EventError
from clickstream.sightings import sight, sight_fields
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
