"""Why an event is refused: one vocabulary for CSV, HTTP, broker, Great Expectations and metrics."""

from enum import StrEnum, unique
from typing import Final

import msgspec


@unique
class ErrorCode(StrEnum):
    """What is wrong with a record; the same string in the API's answer, the quarantine and the metrics."""

    # The record as a whole: nothing can be read from it.
    INVALID_JSON = "invalid_json"
    NOT_AN_OBJECT = "not_an_object"
    MALFORMED_LINE = "malformed_line"
    INVALID_ENCODING = "invalid_encoding"
    TOO_LARGE = "too_large"
    # One field of an event.
    MISSING_FIELD = "missing_field"
    WRONG_TYPE = "wrong_type"
    UNKNOWN_EVENT_TYPE = "unknown_event_type"
    UNKNOWN_DEVICE_TYPE = "unknown_device_type"
    INVALID_TIMESTAMP = "invalid_timestamp"
    CREATED_AT_IN_FUTURE = "created_at_in_future"
    INVALID_NUMBER = "invalid_number"
    INVALID_IP = "invalid_ip"
    INVALID_PAYLOAD = "invalid_payload"
    TOO_LONG = "too_long"


RECORD_CODES: Final = frozenset(
    {
        ErrorCode.INVALID_JSON,
        ErrorCode.NOT_AN_OBJECT,
        ErrorCode.MALFORMED_LINE,
        ErrorCode.INVALID_ENCODING,
        ErrorCode.TOO_LARGE,
    }
)
"""Codes of a record from which no event can be read; a record has at most one of them, and no other code."""


class EventError(msgspec.Struct, frozen=True):
    """One thing that is wrong with one event.

    Attributes:
        code: The rule that was broken.
        field: The field as users write it, such as `payload.x`; empty for the record as a whole.
        message: What was received and what is allowed, in one sentence.
        value: The value received as JSON text or plain text, cut to 200 characters.
    """

    code: ErrorCode
    field: str
    message: str
    value: str
