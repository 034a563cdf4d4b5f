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
    # One field of a user.
    UNKNOWN_COUNTRY = "unknown_country"


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


DESCRIPTIONS: Final[dict[ErrorCode, tuple[str, str]]] = {
    ErrorCode.INVALID_JSON: (
        "The record is not valid JSON, or is empty.",
        "Build the JSON with an encoder; the message names the place of the error.",
    ),
    ErrorCode.NOT_AN_OBJECT: (
        "The record is JSON, but not an event: for example a text, a number, or an envelope around events.",
        "Send an object with the fields of an event, or an array of such objects.",
    ),
    ErrorCode.MALFORMED_LINE: (
        "The CSV line has more or fewer cells than the header, or a quote that is never closed.",
        "Quote cells that hold a delimiter, a quote or a line break, and double the quotes inside.",
    ),
    ErrorCode.INVALID_ENCODING: (
        "The record is not valid UTF-8; its invalid bytes are kept as `\\xNN`.",
        "Save or send it as UTF-8.",
    ),
    ErrorCode.TOO_LARGE: (
        "The record is larger than 1 MiB; only its beginning is kept.",
        "Split it, or leave out fields that you do not need.",
    ),
    ErrorCode.MISSING_FIELD: ("A required field is absent, null or empty.", "Send the field."),
    ErrorCode.WRONG_TYPE: (
        "The field has a JSON type that is not allowed, such as a number instead of a text.",
        "Send one of the types that the message names.",
    ),
    ErrorCode.UNKNOWN_EVENT_TYPE: (
        "`type` is neither `view` nor `click`.",
        "Send `view` or `click`.",
    ),
    ErrorCode.UNKNOWN_DEVICE_TYPE: (
        "`device_type` is not `desktop`, `mobile` or `tablet`.",
        "Send one of these, or omit it: it is then derived from the user agent.",
    ),
    ErrorCode.INVALID_TIMESTAMP: (
        "`created_at` is not an RFC 3339 time, names a time that does not exist, or is before 1970.",
        "Send a time such as `2025-01-01T10:00:00Z`.",
    ),
    ErrorCode.CREATED_AT_IN_FUTURE: (
        "`created_at` is more than 5 minutes (`CLICKSTREAM_ETL__FUTURE_ALLOWED_SECONDS`) after the receipt.",
        "Correct the sender's clock; the event can be replayed once its time has come.",
    ),
    ErrorCode.INVALID_NUMBER: (
        "An id or a coordinate is not a number, or is negative, fractional or too large.",
        "Send decimal digits: an id from 0 to 18446744073709551615, a coordinate up to 4294967295.",
    ),
    ErrorCode.INVALID_IP: (
        "`ip` is neither an IPv4 nor an IPv6 address.",
        "Send one of these, or omit it.",
    ),
    ErrorCode.INVALID_PAYLOAD: (
        "`payload` is not a JSON object, is nested more than 16 levels deep, or is larger than 64 KiB.",
        "Send an object; in a CSV file, its JSON text, quoted as a cell.",
    ),
    ErrorCode.TOO_LONG: ("A text is longer than its field allows.", "Shorten the text."),
    ErrorCode.UNKNOWN_COUNTRY: (
        "The `country` of a user is not an ISO 3166-1 alpha-2 code; the user is stored without it.",
        "Send two letters, such as `DE`.",
    ),
}
"""For each code, what it means and what to do about it."""


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
