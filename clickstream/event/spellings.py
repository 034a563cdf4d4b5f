"""Values with one meaning and many spellings: how each kind is read before it is judged.

A reader gives the usual spelling of a value. What it cannot read it gives back as it was sent, so that the
rule of the field can name it.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from clickstream.event.addresses import read_address

EXACT_FLOATS: Final = 2**53
"""From here on several whole numbers share one float, so a float no longer says which was meant."""

_MAX_READ_POSITION: Final = 2**33
_LONGEST_NUMBER: Final = 20
"""Digits of the largest number of 64 bits."""

_FLOAT_TEXT: Final = re.compile(r"([0-9]{1,16})\.0+", re.ASCII)
_DECIMAL_TEXT: Final = re.compile(r"[+-]?[0-9]{1,20}(?:\.[0-9]{1,40})?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Spelling:
    """Which spellings of a value are read.

    Attributes:
        read: Gives the usual spelling of a value, or the value itself if it cannot be read.
        description: What is read and as what, for the reference page.
        refused: What looks alike but is refused, for the reference page.
        examples: Spellings and what they are read as, both as JSON; shown on the reference page and tested.
    """

    read: Callable[[Any], Any]
    description: str
    refused: str
    examples: tuple[tuple[str, str], ...]


def choice_spelling(choices: tuple[str, ...]) -> Spelling:
    """One of a few words."""
    words = frozenset(choices)
    first = choices[0]

    def read(value: Any) -> Any:
        if type(value) is not str:
            return value
        word = value.strip().lower()
        return word if word in words else value

    return Spelling(
        read,
        description="any case, also surrounded by spaces",
        refused="other words",
        examples=((f'"{first.capitalize()}"', f'"{first}"'), (f'" {first.upper()} "', f'"{first}"')),
    )


def _read_digits(text: str) -> int | str:
    """The number that a text of very many digits spells, since most are leading zeros; else the text."""
    digits = text.lstrip("0") or "0"
    is_number = len(digits) <= _LONGEST_NUMBER and digits.isascii() and digits.isdigit()
    return int(digits) if is_number else text


def _read_whole_number(value: Any) -> Any:
    if type(value) is str:
        if "." not in value:
            return _read_digits(value) if len(value) > _LONGEST_NUMBER else value
        match = _FLOAT_TEXT.fullmatch(value)
        return int(match[1]) if match and int(match[1]) < EXACT_FLOATS else value
    if type(value) is float and value.is_integer() and abs(value) < EXACT_FLOATS:
        return int(value)
    return value


WHOLE_NUMBER: Final = Spelling(
    _read_whole_number,
    description="a number or its decimal text, also `42.0`",
    refused="`1.8e18` and other floats of at least 2^53, fractions, negative numbers",
    examples=(('"42"', "42"), ("42.0", "42"), ('"42.0"', "42")),
)


def _read_position(value: Any) -> Any:
    number: int | float | Decimal
    if type(value) is str and len(value) > _LONGEST_NUMBER:
        value = _read_digits(value)
    if type(value) is int or (type(value) is float and value <= _MAX_READ_POSITION):
        number = value
    elif type(value) is str and _DECIMAL_TEXT.fullmatch(value):
        number = Decimal(value)
    else:
        return value
    if number < 0:
        return 0
    whole = int(number)
    return whole + (2 * (number - whole) >= 1)  # Exact, where adding a half first would round.


POSITION: Final = Spelling(
    _read_position,
    description="a number or its decimal text; a fraction is rounded half up, a negative one is 0",
    refused="numbers above 2^32 - 1, other texts",
    examples=(("445.5", "446"), ('"445.25"', "445"), ("-3", "0")),
)


def _read_ip(value: Any) -> Any:
    return (read_address(value) or value) if type(value) is str else value


IP: Final = Spelling(
    _read_ip,
    description="IPv4 or IPv6, also with a port, with a zone, in brackets, or as the first of a "
    "comma-separated list; `::ffff:a.b.c.d` is IPv4",
    refused="anything else",
    examples=(
        ('"203.0.113.7:51234"', '"203.0.113.7"'),
        ('"[2001:DB8::1]:443"', '"2001:db8::1"'),
        ('"fe80::1%eth0"', '"fe80::1"'),
        ('"203.0.113.7, 10.0.0.1"', '"203.0.113.7"'),
        ('"::ffff:203.0.113.7"', '"203.0.113.7"'),
    ),
)


def _as_sent(value: Any) -> Any:
    return value


TIME: Final = Spelling(
    _as_sent,
    description="RFC 3339, also with a space or lower-case `t` and `z`, an offset `+03`, `+0300`, `UTC` or "
    "`GMT`, without seconds, or with any number of fractional digits (kept to the millisecond); without an "
    "offset it is UTC",
    refused="numbers of seconds or milliseconds, ambiguous day and month, leap seconds, times before 1970",
    examples=(
        ('"2025-03-01 10:00:00.745+00"', '"2025-03-01T10:00:00.745Z"'),
        ('"2025-03-01T13:00:00+0300"', '"2025-03-01T10:00:00.000Z"'),
        ('"2025-03-01T10:00Z"', '"2025-03-01T10:00:00.000Z"'),
        ('"2025-03-01 10:00:00 UTC"', '"2025-03-01T10:00:00.000Z"'),
        ('"2025-03-01t10:00:00.123456789z"', '"2025-03-01T10:00:00.123Z"'),
    ),
)
"""Times are kept as sent until they are parsed (`times.parse_timestamp`), many of them at once."""
