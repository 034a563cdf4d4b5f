"""The rules of the contract, field by field: what is wrong with the values of an event."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final

from clickstream.contract import FIELDS, EventType, Field, Kind, Severity
from clickstream.decode import MAX_SHOWN_CHARACTERS, TYPE_NAMES, PayloadForm, Values, text_of
from clickstream.event.recognise import recognise_text
from clickstream.event.syntax import explain_syntax
from clickstream.event.times import EPOCH_HINT, explain_time, parse_timestamp
from clickstream.reasons import ErrorCode, EventError


@dataclass(frozen=True, slots=True)
class Receipt:
    """What decides on an event besides its content.

    Attributes:
        received_at_ms: When it was received, milliseconds since 1970.
        future_allowed_ms: How far `created_at` may lie after that.
        skew_ms: By how much `created_at` is moved, since the sender's clock is wrong.
    """

    received_at_ms: int
    future_allowed_ms: int
    skew_ms: int = 0


Rule = Callable[[Any, Values, Receipt], EventError | None]
"""Judges one field: its value as sent, all values, the receipt."""


def _error(field: Field, code: ErrorCode, value: Any, rule: str) -> EventError:
    shown = text_of(value)
    if len(shown) > MAX_SHOWN_CHARACTERS:
        shown = shown[: MAX_SHOWN_CHARACTERS - 1] + "…"
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
        case Kind.UINT | Kind.POSITION:
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
        what = f"this one is {values.payload_form}"
        if values.payload_form == PayloadForm.NOT_JSON and type(value) is str:
            what += f": {_explain_text(value)}"
        return _error(field, ErrorCode.INVALID_PAYLOAD, value, f"{field.rule}; {what.rstrip('.')}")

    return check


def _explain_text(text: str) -> str:
    """Why the text of a payload is not JSON."""
    words = recognise_text(text)
    if words:
        return words[0].lower() + words[1:]
    return explain_syntax(text, "it cannot be read")[0].message


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
            hint = explain_time(value)
            rule = f"{field.rule}; {hint}" if hint else field.rule
            return _error(field, ErrorCode.INVALID_TIMESTAMP, value, rule)
        moment_ms = parse_timestamp(value) + receipt.skew_ms
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
    is_time = field.kind is Kind.TIMESTAMP

    def check(value: Any, values: Values, receipt: Receipt) -> EventError | None:  # noqa: ARG001
        rule = f"a JSON {takes}, not {TYPE_NAMES[type(value)]}"
        if is_time and type(value) in (int, float):
            rule += f"; {EPOCH_HINT}"
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


def find_problems(values: Values, receipt: Receipt) -> list[EventError]:
    """Checks every field; an event may break several rules, each field at most one.

    Returns:
        What is wrong, both errors and warnings (`is_warning`).
    """
    problems: list[EventError] = []
    for value, rules in zip(values, _RULES, strict=False):
        rule = rules[type(value)]
        if rule is not None:
            problem = rule(value, values, receipt)
            if problem is not None:
                problems.append(problem)
    return problems


_DISPENSABLE: Final = frozenset(field.name for field in FIELDS if field.severity is Severity.WARNING)


def is_warning(problem: EventError) -> bool:
    """Whether a problem costs only the value of its field, not the event."""
    return problem.field in _DISPENSABLE


def find_errors(values: Values, receipt: Receipt) -> list[EventError]:
    """The problems that cost the event; without any it is stored."""
    return [problem for problem in find_problems(values, receipt) if not is_warning(problem)]


def without_unusable(values: Values, fields: Iterable[str]) -> Values:
    """The values to be stored of an event: as if the fields that a warning is about were absent."""
    return values._replace(**dict.fromkeys(fields))
