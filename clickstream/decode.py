"""From the text of a record to the values of an event, or to the reasons why it is none.

The order is always the same: `read_record` (is it JSON, is it an object), `read_values` (the fields, still as
sent), `find_errors` (the rules of the contract, one by one), and in `steps.py` what is derived from them.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final, NamedTuple

import msgspec

from clickstream.contract import (
    FIELDS,
    MAX_PAYLOAD_BYTES,
    MAX_PAYLOAD_DEPTH,
    MAX_RECORD_BYTES,
    EventType,
    Field,
    Kind,
)
from clickstream.reasons import ErrorCode, EventError

TYPE_NAMES: Final[dict[type, str]] = {
    str: "string",
    int: "number",
    float: "number",
    bool: "boolean",
    dict: "object",
    list: "array",
}
"""JSON's names of the Python types that a JSON decoder makes."""


class SentEvent(msgspec.Struct):
    """The top-level fields of an event as JSON values, unchecked; None where absent or null."""

    id: Any = None
    type: Any = None
    created_at: Any = None
    session_id: Any = None
    ip: Any = None
    user_id: Any = None
    url: Any = None
    referrer: Any = None
    device_type: Any = None
    user_agent: Any = None
    payload: Any = None


class PayloadForm:
    """What a sent payload turned out to be; only an `OBJECT` can be read further."""

    OBJECT: Final = "object"
    TOO_DEEP: Final = "nested too deep"
    TOO_LARGE: Final = "too large"
    NOT_JSON: Final = "not JSON"


class Values(NamedTuple):
    """The values of one event in the order of `contract.FIELDS`, as sent; None where absent, null or empty.

    `payload` is the object itself if it is one, also where its JSON text was sent, and `payload_form` says
    what it is: a constant of `PayloadForm`, the name of another JSON type, or None where it is absent.
    """

    id: Any
    type: Any
    created_at: Any
    session_id: Any
    ip: Any
    user_id: Any
    url: Any
    referrer: Any
    device_type: Any
    user_agent: Any
    payload: Any
    event_title: Any
    element_id: Any
    x: Any
    y: Any
    payload_form: str | None


@dataclass(frozen=True, slots=True)
class Receipt:
    """What decides on an event besides its content.

    Attributes:
        received_at_ms: When it was received, milliseconds since 1970.
        future_allowed_ms: How far `created_at` may lie after that.
    """

    received_at_ms: int
    future_allowed_ms: int


_decode_event: Final = msgspec.json.Decoder(SentEvent).decode
_decode: Final = msgspec.json.Decoder().decode
_encode: Final = msgspec.json.Encoder().encode
_as_values: Final = tuple.__new__
_NOTHING: Final[dict[str, Any]] = {}
_EPOCH: Final = datetime(1970, 1, 1)  # noqa: DTZ001 - times without an offset are compared with it
_EPOCH_UTC: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND: Final = timedelta(milliseconds=1)
_MAX_SHOWN_CHARACTERS: Final = 200


def read_record(body: str) -> SentEvent | EventError:
    """Decodes the JSON text of one event.

    Returns:
        The fields as sent, or the one error of a record that isn't an event (`INVALID_JSON`,
        `NOT_AN_OBJECT`, `TOO_LARGE`).
    """
    if len(body) * 4 > MAX_RECORD_BYTES and len(body.encode()) > MAX_RECORD_BYTES:
        return record_error(ErrorCode.TOO_LARGE, f"The record is longer than {MAX_RECORD_BYTES} bytes.", body)
    try:
        return _decode_event(body)
    except msgspec.ValidationError as error:
        if str(error).startswith("Expected `object`"):
            return record_error(ErrorCode.NOT_AN_OBJECT, "An event must be a JSON object.", body)
        return record_error(ErrorCode.INVALID_JSON, f"The record can't be read: {error}.", body)
    except msgspec.DecodeError as error:
        return record_error(ErrorCode.INVALID_JSON, f"The record isn't valid JSON: {error}.", body)
    except RecursionError:
        return record_error(ErrorCode.INVALID_JSON, "The record is nested too deep to be read.", body)


def record_error(code: ErrorCode, message: str, body: str) -> EventError:
    """The one error of a record from which no event can be read."""
    return EventError(code=code, field="", message=message, value=body[:_MAX_SHOWN_CHARACTERS])


def read_values(sent: SentEvent) -> Values:
    """Lays out the fields of an event in the order of the contract, the payload's own fields among them."""
    form, payload = _read_payload(sent.payload)
    inside = (payload if form == PayloadForm.OBJECT else _NOTHING).get
    values = (
        sent.id,
        sent.type,
        sent.created_at,
        sent.session_id,
        sent.ip,
        sent.user_id,
        sent.url,
        sent.referrer,
        sent.device_type,
        sent.user_agent,
        payload,
        inside("event_title"),
        inside("element_id"),
        inside("x"),
        inside("y"),
        form,
    )
    if "" in values:
        return _as_values(Values, [None if value == "" else value for value in values])
    return _as_values(Values, values)


def _read_payload(sent: Any) -> tuple[str | None, Any]:
    """Reads a payload sent as an object or as the JSON text of one.

    Returns:
        Its form, and the object; or, where it isn't one, what was sent.
    """
    if sent is None or sent == "":
        return None, None
    try:
        text = sent if type(sent) is str else _encode(sent).decode()
        payload = _decode(text) if text is sent else sent
    except (msgspec.DecodeError, RecursionError):
        return PayloadForm.NOT_JSON, sent
    if payload is None:
        return None, None
    if type(payload) is dict:
        form = _form_of_object(payload, text)
        return form, payload if form == PayloadForm.OBJECT else sent
    return TYPE_NAMES[type(payload)], sent


def _form_of_object(payload: dict[str, Any], text: str) -> str:
    if len(text) * 4 > MAX_PAYLOAD_BYTES and len(text.encode()) > MAX_PAYLOAD_BYTES:
        return PayloadForm.TOO_LARGE
    brackets = text.count("{") + text.count("[")
    if brackets > MAX_PAYLOAD_DEPTH and _is_deeper_than(payload, MAX_PAYLOAD_DEPTH):
        return PayloadForm.TOO_DEEP
    return PayloadForm.OBJECT


def _is_deeper_than(value: Any, levels: int) -> bool:
    """Whether objects and arrays are nested in more than `levels` levels; looks no further than that."""
    if not isinstance(value, dict | list):
        return False
    children = value.values() if isinstance(value, dict) else value
    return levels == 0 or any(_is_deeper_than(child, levels - 1) for child in children)


def text_of(value: Any) -> str:
    """A JSON value as text: strings as they are, anything else as JSON."""
    if type(value) is str:
        return value
    try:
        return msgspec.json.encode(value).decode()
    except RecursionError:
        return "(nested too deep to be shown)"  # It could just be decoded, further up the stack.


def parse_timestamp(text: str) -> int:
    """Milliseconds since 1970 of a text that matches `contract.TIMESTAMP_PATTERN`; digits beyond are cut."""
    moment = datetime.fromisoformat(text.upper())
    return (moment - (_EPOCH if moment.tzinfo is None else _EPOCH_UTC)) // _MILLISECOND


Rule = Callable[[Any, Values, Receipt], EventError | None]
"""Judges one field: its value as sent, all values, the receipt."""


def _error(field: Field, code: ErrorCode, value: Any, rule: str) -> EventError:
    shown = text_of(value)
    if len(shown) > _MAX_SHOWN_CHARACTERS:
        shown = shown[: _MAX_SHOWN_CHARACTERS - 1] + "…"
    return EventError(code=code, field=field.name, message=f"{field.name} must be {rule}.", value=shown)


def _missing(field: Field) -> EventError:
    whom = "a click" if field.required_for_click else "every event"
    return EventError(
        code=ErrorCode.MISSING_FIELD,
        field=field.name,
        message=f"{field.name} is required for {whom}; it is absent, null or empty.",
        value="",
    )


def _presence_rule(field: Field) -> Rule:
    """The rule of an absent value."""
    in_payload, required = field.is_in_payload, field.required
    readable = (None, PayloadForm.OBJECT)
    click = EventType.CLICK.value

    def check(value: Any, values: Values, receipt: Receipt) -> EventError | None:  # noqa: ARG001
        if in_payload and values.payload_form not in readable:
            return None  # The payload itself is wrong, which is the one thing to say.
        return _missing(field) if required or values.type == click else None

    return check


def _value_rule(field: Field) -> Rule:
    """The rule of a value that is there, by the field's kind."""
    match field.kind:
        case Kind.TEXT:
            return _text_rule(field)
        case Kind.CHOICE:
            return _choice_rule(field)
        case Kind.PAYLOAD:
            return _payload_rule(field)
        case Kind.TIMESTAMP:
            return _timestamp_rule(field)
        case Kind.UINT:
            return _uint_rule(field)
        case Kind.IP:
            return _pattern_rule(field)


def _text_rule(field: Field) -> Rule:
    limit = field.max_length or 0

    def check(value: Any, values: Values, receipt: Receipt) -> EventError | None:  # noqa: ARG001
        return _error(field, ErrorCode.TOO_LONG, value, field.rule) if len(value) > limit else None

    return check


def _choice_rule(field: Field) -> Rule:
    choices = frozenset(map(str, field.choices))
    code = field.choice_code or ErrorCode.WRONG_TYPE

    def check(value: Any, values: Values, receipt: Receipt) -> EventError | None:  # noqa: ARG001
        return None if value in choices else _error(field, code, value, field.rule)

    return check


def _payload_rule(field: Field) -> Rule:
    def check(value: Any, values: Values, receipt: Receipt) -> EventError | None:  # noqa: ARG001
        if values.payload_form == PayloadForm.OBJECT:
            return None
        return _error(
            field, ErrorCode.INVALID_PAYLOAD, value, f"{field.rule}; this one is {values.payload_form}"
        )

    return check


def _pattern_rule(field: Field) -> Rule:
    matches = re.compile(field.pattern or "").search

    def check(value: Any, values: Values, receipt: Receipt) -> EventError | None:  # noqa: ARG001
        return None if matches(value) else _error(field, field.pattern_code, value, field.rule)

    return check


def _is_decimal(text: str) -> bool:
    """Whether a text is ASCII digits, and no more of them than a UInt64 can have besides leading zeros."""
    return text.isascii() and text.isdigit() and len(text.lstrip("0")) <= 20


def _uint_rule(field: Field) -> Rule:
    bound = 2**field.bits
    digits_below = len(str(bound)) - 1

    def check(value: Any, values: Values, receipt: Receipt) -> EventError | None:  # noqa: ARG001
        if type(value) is int:
            is_valid = 0 <= value < bound
        elif type(value) is str:
            is_valid = _is_decimal(value) and (
                len(value) <= digits_below or int(value.lstrip("0") or "0") < bound
            )
        else:
            is_valid = False
        return None if is_valid else _error(field, ErrorCode.INVALID_NUMBER, value, field.rule)

    return check


def _timestamp_rule(field: Field) -> Rule:
    matches = re.compile(field.pattern or "").match

    def check(value: Any, values: Values, receipt: Receipt) -> EventError | None:  # noqa: ARG001
        if not matches(value):
            return _error(field, ErrorCode.INVALID_TIMESTAMP, value, field.rule)
        moment_ms = parse_timestamp(value)
        if moment_ms < 0:
            return _error(field, ErrorCode.INVALID_TIMESTAMP, value, field.rule)
        if moment_ms - receipt.received_at_ms > receipt.future_allowed_ms:
            seconds = receipt.future_allowed_ms // 1_000
            return _error(
                field, ErrorCode.CREATED_AT_IN_FUTURE, value, f"at most {seconds} seconds after the receipt"
            )
        return None

    return check


def _wrong_type_rule(field: Field) -> Rule:
    """The rule of a value whose JSON type is not taken."""
    takes = " or ".join(field.json_types)

    def check(value: Any, values: Values, receipt: Receipt) -> EventError | None:  # noqa: ARG001
        rule = f"a JSON {takes}, not {TYPE_NAMES[type(value)]}"
        return _error(field, ErrorCode.WRONG_TYPE, value, rule)

    return check


def _rules_by_type(field: Field) -> dict[type, Rule | None]:
    """The rule of each Python type that a JSON decoder makes; None where nothing can be wrong.

    A payload is judged by its form instead of its type.
    """
    present, wrong_type = _value_rule(field), _wrong_type_rule(field)
    rules: dict[type, Rule | None] = {
        python_type: present if name in field.json_types or field.kind is Kind.PAYLOAD else wrong_type
        for python_type, name in TYPE_NAMES.items()
    }
    rules[type(None)] = _presence_rule(field) if field.required or field.required_for_click else None
    return rules


_RULES: Final = tuple(_rules_by_type(field) for field in FIELDS)


def find_errors(values: Values, receipt: Receipt) -> list[EventError]:
    """Checks every field; an event may break several rules, each field at most one."""
    errors: list[EventError] = []
    for value, rules in zip(values, _RULES, strict=False):
        rule = rules[type(value)]
        if rule is not None:
            error = rule(value, values, receipt)
            if error is not None:
                errors.append(error)
    return errors
