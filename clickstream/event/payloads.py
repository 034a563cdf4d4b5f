"""Payloads as they are stored: no two keys may name the same path, and fields of one's own stand apart."""

import re
from collections.abc import Mapping
from typing import Any, Final

import msgspec

_ESCAPED_DOT: Final = re.compile(r"%(?=(?:25)*2E)")
"""What begins an escaped dot, as the database writes dots inside of keys, or one that was escaped again."""
_needs_change: Final = re.compile(rb"%(?:25)*2E|\d{19}").search
"""Finds escaped dots, and what may be a number of more than 64 bits."""

_LEAST_INTEGER: Final = -(2**63)
_GREATEST_INTEGER: Final = 2**64 - 1

_TAKEN: Final = frozenset({"event_title", "element_id", "x", "y", "element_x", "element_y"})
"""Fields of the contract, and those that the tracker sets itself."""

MAX_FIELDS: Final = 32
"""Own fields of an event that can be shown; the payload keeps all of them."""

MAX_NAME_LENGTH: Final = 100
MAX_VALUE_LENGTH: Final = 200
"""A longer text is something to read, not something to group by."""

_EXACT: Final = 2**53
"""Up to here a whole number is the same as a float: 42.0 and 42 are one value."""

_decode: Final = msgspec.json.Decoder().decode
_encode: Final = msgspec.json.Encoder().encode


def storable(payload: bytes) -> bytes:
    """A payload as the database takes it.

    - A key that spells an escaped dot is escaped itself: the database stores the key `a.b` as `a%2Eb`, and a
      key that is sent in this spelling would hide it.
    - A whole number of more than 64 bits becomes a text. ClickHouse 26.7 refuses it, and with it all events
      of the insert; release 26.9 would make it a text itself.
    """
    return _encode(_storable(_decode(payload))) if _needs_change(payload) else payload


def own_fields(payload: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The fields of one's own that events can be grouped by, as names and texts.

    These are the texts, numbers and booleans at the top of the payload. Empty values, long ones, lists
    and objects are left out, and so is whatever follows the first 32 fields.
    """
    found = [
        (name, text)
        for name, value in payload.items()
        if name not in _TAKEN
        and 0 < len(name) <= MAX_NAME_LENGTH
        and 0 < len(text := _as_text(value)) <= MAX_VALUE_LENGTH
    ]
    return found[:MAX_FIELDS]


def _as_text(value: Any) -> str:
    """A scalar as text; empty for anything else."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer() and abs(value) < _EXACT:
        return str(int(value))
    return str(value) if isinstance(value, int | float) else ""


def _storable(value: Any) -> Any:
    if isinstance(value, dict):
        return {_ESCAPED_DOT.sub("%25", key): _storable(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return list(map(_storable, value))
    if isinstance(value, int) and not _LEAST_INTEGER <= value <= _GREATEST_INTEGER:
        return str(value)
    return value
