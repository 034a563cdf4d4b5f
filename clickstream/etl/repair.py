"""Rules that repair refused events: set a field, trim, change the case, shift a time, map values."""

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from enum import StrEnum, unique
from typing import Any, Final

import msgspec

from clickstream.contract import FIELD_BY_NAME
from clickstream.decode import SentEvent, read_record, read_values
from clickstream.errors import BadInputError
from clickstream.event.rules import Receipt, find_problems, is_warning
from clickstream.event.times import TIMESTAMP_PATTERN, parse_timestamp
from clickstream.reasons import EventError

PAYLOAD: Final = "payload."
"""How users write the fields of the payload."""

_EPOCH: Final = datetime(1970, 1, 1)  # noqa: DTZ001 -- written with a Z behind it
_IS_TIME: Final = re.compile(TIMESTAMP_PATTERN).match


@unique
class Action(StrEnum):
    """What a rule does with the value of a field."""

    SET = "set"
    TRIM = "trim"
    UPPER = "upper case"
    LOWER = "lower case"
    SHIFT = "shift a time"
    MAP = "map values"


class RepairRule(msgspec.Struct, frozen=True):
    """One rule.

    Attributes:
        field: The field as users write it, such as `type` or `payload.x`.
        action: What is done with it.
        value: For `set`, the new value.
        seconds: For `shift a time`, by how much; negative for earlier.
        mapping: For `map values`, the new value of each old one; others stay.
    """

    field: str
    action: Action
    value: str = ""
    seconds: float = 0.0
    mapping: dict[str, str] = {}


def check_rule(rule: RepairRule) -> None:
    """Refuse a rule that can't be applied.

    Raises:
        BadInputError: The field does not exist, or the rule lacks what it needs.
    """
    name = rule.field
    is_custom = name.startswith(PAYLOAD) and len(name) > len(PAYLOAD)
    if name not in FIELD_BY_NAME and not is_custom:
        known = ", ".join(FIELD_BY_NAME)
        raise BadInputError(f"Events have no field {name!r}.", hint=f"They have {known} and payload.… .")
    if rule.action is Action.SHIFT and (name != "created_at" or not rule.seconds):
        raise BadInputError("Only created_at can be shifted, and by some seconds other than 0.")
    if rule.action is Action.MAP and not rule.mapping:
        raise BadInputError("There is nothing to map.", hint="Give a line such as purchase=click.")


def apply_rule(rule: RepairRule, body: str) -> str:
    """The body as the rule makes it; the same where the rule finds nothing to change."""
    try:
        event = msgspec.json.decode(body)
    except msgspec.DecodeError:
        return body
    if not isinstance(event, dict):
        return body
    if not rule.field.startswith(PAYLOAD):
        return _encoded(event, body) if _change(event, rule.field, rule) else body
    return _encoded(event, body) if _change_payload(event, rule) else body


def _change_payload(event: dict[str, Any], rule: RepairRule) -> bool:
    """Change a field of the payload, which is an object or, in CSV files, its text."""
    payload = event.get("payload")
    is_text = isinstance(payload, str)
    if isinstance(payload, str):
        try:
            payload = msgspec.json.decode(payload)
        except msgspec.DecodeError:
            return False
    if not isinstance(payload, dict) or not _change(payload, rule.field.removeprefix(PAYLOAD), rule):
        return False
    event["payload"] = msgspec.json.encode(payload).decode() if is_text else payload
    return True


def _change(values: dict[str, Any], name: str, rule: RepairRule) -> bool:
    before = values.get(name)
    if rule.action is Action.SET:
        after: Any = rule.value
    elif not isinstance(before, str):
        return False
    else:
        after = _CHANGES[rule.action](before, rule)
    if after == before:
        return False
    values[name] = after
    return True


def _shifted(text: str, rule: RepairRule) -> str:
    if not _IS_TIME(text):
        return text
    moment = _EPOCH + timedelta(milliseconds=parse_timestamp(text), seconds=rule.seconds)
    return f"{moment.isoformat(timespec='milliseconds')}Z"


_CHANGES: Final[dict[Action, Callable[[str, RepairRule], str]]] = {
    Action.TRIM: lambda text, _: text.strip(),
    Action.UPPER: lambda text, _: text.upper(),
    Action.LOWER: lambda text, _: text.lower(),
    Action.SHIFT: _shifted,
    Action.MAP: lambda text, rule: rule.mapping.get(text, text),
}


def problems_of(body: str, receipt: Receipt) -> list[EventError]:
    """What keeps a body from being a valid event; empty if nothing does."""
    record = read_record(body)
    if not isinstance(record, SentEvent):
        return [record]
    return [problem for problem in find_problems(read_values(record), receipt) if not is_warning(problem)]


def _encoded(event: dict[str, Any], body: str) -> str:
    try:
        return msgspec.json.encode(event).decode()
    except (UnicodeEncodeError, ValueError):
        return body
