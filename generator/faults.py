"""What can be wrong with a record: every fault with the error codes that it must earn."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from random import Random
from typing import Final

from clickstream.reasons import ErrorCode
from generator.shop import Json

Payload = dict[str, Json]


class Damage(StrEnum):
    """What is done to the line as a whole."""

    NONE = "none"
    CUT = "cut"
    EXTRA_CELLS = "extra_cells"
    THOUSANDS_SEPARATORS = "thousands_separators"
    LEGACY_ENCODING = "legacy_encoding"
    STRAY_BYTE = "stray_byte"
    OPEN_QUOTE = "open_quote"


@dataclass(frozen=True)
class Fault:
    """One way in which a record is broken.

    Attributes:
        name: What happened.
        codes: What the record must earn, no more and no less.
        cells: Cells of the line that are replaced; a `payload` here is JSON text or what stands for it.
        payload: Fields of the payload that are replaced.
        without: Fields of the payload that are left out.
        damage: What is done to the finished line.
        is_rare: So large that a file has only one of them.
    """

    name: str
    codes: tuple[ErrorCode, ...]
    cells: dict[str, str] = field(default_factory=dict)
    payload: Payload = field(default_factory=dict)
    without: tuple[str, ...] = ()
    damage: Damage = Damage.NONE
    is_rare: bool = False


def _nest(levels: int) -> Json:
    value: Json = "bottom"
    for _ in range(levels):
        value = {"deeper": value}
    return value


_E = ErrorCode
_CLICK: Final = {"type": "click"}

HUGE: Final = Fault("record over 1 MiB", (_E.TOO_LARGE,), payload={"dump": "z" * 1_100_000})
"""One record of a large file."""

HUGE_FROM_EVENTS: Final = 10_000

OPEN_QUOTE: Final = Fault("file cut off inside quotes", (_E.MALFORMED_LINE,), damage=Damage.OPEN_QUOTE)
"""The last record of a file, and only that: the quote would swallow what follows."""

# The first ones hold every code once, so that few faults already show all of them.
FAULTS: Final = (
    Fault("line cut off", (_E.MALFORMED_LINE,), damage=Damage.CUT),
    Fault("text in a legacy encoding", (_E.INVALID_ENCODING,), damage=Damage.LEGACY_ENCODING),
    Fault("no session_id", (_E.MISSING_FIELD,), {"session_id": ""}),
    Fault("x is a list", (_E.WRONG_TYPE,), _CLICK, {"x": [445], "y": 315}),
    Fault("another type", (_E.UNKNOWN_EVENT_TYPE,), {"type": "scroll"}),
    Fault("30 February", (_E.INVALID_TIMESTAMP,), {"created_at": "2025-02-30T10:00:00Z"}),
    Fault("clock far ahead", (_E.CREATED_AT_IN_FUTURE,), {"created_at": "2199-12-31T23:59:59Z"}),
    Fault("user_id is a name", (_E.INVALID_NUMBER,), {"user_id": "anna"}),
    Fault("payload cut off", (_E.INVALID_PAYLOAD,), {"payload": '{"event_title": "open_cart", "element'}),
    Fault("long session_id", (_E.TOO_LONG,), {"session_id": "s" * 513}),
    # The others.
    Fault("cells after the last", (_E.MALFORMED_LINE,), damage=Damage.EXTRA_CELLS),
    Fault("id with thousands separators", (_E.MALFORMED_LINE,), damage=Damage.THOUSANDS_SEPARATORS),
    Fault("stray byte", (_E.INVALID_ENCODING,), damage=Damage.STRAY_BYTE),
    Fault("no type", (_E.MISSING_FIELD,), {"type": ""}),
    Fault("no created_at", (_E.MISSING_FIELD,), {"created_at": ""}),
    Fault("no user_id", (_E.MISSING_FIELD,), {"user_id": ""}),
    Fault("no url", (_E.MISSING_FIELD,), {"url": ""}),
    Fault("no payload", (_E.MISSING_FIELD,), {"payload": ""}),
    Fault("empty payload", (_E.MISSING_FIELD,), {"payload": "{}"}),
    Fault("no event_title", (_E.MISSING_FIELD,), without=("event_title",)),
    Fault("empty event_title", (_E.MISSING_FIELD,), payload={"event_title": ""}),
    Fault("element_id is null", (_E.MISSING_FIELD,), payload={"element_id": None}),
    Fault("click without position", (_E.MISSING_FIELD,), _CLICK, without=("x", "y")),
    Fault("click without y", (_E.MISSING_FIELD,), _CLICK, {"x": 445}, without=("y",)),
    Fault("event_title is a number", (_E.WRONG_TYPE,), payload={"event_title": 7}),
    Fault("element_id is a list", (_E.WRONG_TYPE,), payload={"element_id": ["#add-to-cart"]}),
    Fault("y is true", (_E.WRONG_TYPE,), _CLICK, {"x": 445, "y": True}),
    Fault("purchase as type", (_E.UNKNOWN_EVENT_TYPE,), {"type": "purchase"}),
    Fault("hour 25", (_E.INVALID_TIMESTAMP,), {"created_at": "2025-01-01T25:00:00Z"}),
    Fault("date alone", (_E.INVALID_TIMESTAMP,), {"created_at": "2025-01-01"}),
    Fault("German date", (_E.INVALID_TIMESTAMP,), {"created_at": "01.02.2025 10:00"}),
    Fault("Unix time", (_E.INVALID_TIMESTAMP,), {"created_at": "1735725600"}),
    Fault("before 1970", (_E.INVALID_TIMESTAMP,), {"created_at": "1969-12-31T23:59:59Z"}),
    Fault("id is negative", (_E.INVALID_NUMBER,), {"id": "-1"}),
    Fault("id past 64 bits", (_E.INVALID_NUMBER,), {"id": "18446744073709551616"}),
    Fault("user_id with a fraction", (_E.INVALID_NUMBER,), {"user_id": "17.5"}),
    Fault("user_id past exact floats", (_E.INVALID_NUMBER,), {"user_id": "1.8e18"}),
    Fault("x is a word", (_E.INVALID_NUMBER,), _CLICK, {"x": "left", "y": 315}),
    Fault(
        "formula as user_id", (_E.INVALID_NUMBER,), {"user_id": '=HYPERLINK("https://evil.example";"open")'}
    ),
    Fault("x past 32 bits", (_E.INVALID_NUMBER,), _CLICK, {"x": 2**32, "y": 315}),
    Fault("payload is a list", (_E.INVALID_PAYLOAD,), {"payload": '["open_cart", "#cart-icon"]'}),
    Fault("payload is a word", (_E.INVALID_PAYLOAD,), {"payload": "open_cart"}),
    Fault("payload too deep", (_E.INVALID_PAYLOAD,), payload={"nested": _nest(40)}),
    Fault("payload over 64 KiB", (_E.INVALID_PAYLOAD,), payload={"dump": "z" * 66_000}, is_rare=True),
    Fault("long event_title", (_E.TOO_LONG,), payload={"event_title": "я" * 513}),
    Fault("long element_id", (_E.TOO_LONG,), payload={"element_id": "#" + "e" * 1_024}),
    Fault("long url", (_E.TOO_LONG,), {"url": "/search?q=" + "q" * 8_192}, is_rare=True),
    Fault(
        "robot: type and user",
        (_E.UNKNOWN_EVENT_TYPE, _E.INVALID_NUMBER),
        {"type": "crawl", "user_id": "none", "ip": "unknown"},
    ),
    Fault(
        "broken client: session, user and time",
        (_E.MISSING_FIELD, _E.INVALID_NUMBER, _E.INVALID_TIMESTAMP),
        {"session_id": "", "user_id": "undefined", "created_at": "now"},
    ),
    Fault(
        "click on nothing: title and position",
        (_E.WRONG_TYPE, _E.MISSING_FIELD),
        _CLICK,
        {"event_title": False},
        without=("x", "y"),
    ),
)
"""Every fault, those that stand apart (`HUGE`, `OPEN_QUOTE`) excepted."""

_COMMON: Final = [fault for fault in FAULTS if not fault.is_rare]


def plan_faults(records: int, events: int, rng: Random) -> Iterator[Fault]:
    """The faults of a file in the order in which they occur.

    They take turns, so that many faults hold every one of them, and as few as there are codes hold every
    code; `OPEN_QUOTE` comes last.

    Args:
        records: How many faults.
        events: How many records the file has in all.
        rng: Decides on their order.
    """
    if not records:
        return
    has_open_quote = records > 1
    left = records - has_open_quote
    codes = {code for fault in FAULTS for code in fault.codes}
    turn = list(FAULTS[: len(codes)])
    others = list(FAULTS[len(codes) :])
    if events >= HUGE_FROM_EVENTS:
        turn.append(HUGE)
    while left:
        rng.shuffle(turn)
        yield from turn[:left]
        left -= min(left, len(turn))
        turn, others = others or _COMMON, []
    if has_open_quote:
        yield OPEN_QUOTE


def apply_to_cells(fault: Fault, cells: dict[str, str], payload: Payload) -> dict[str, str]:
    """The cells of an event after a fault, the payload among them as JSON text."""
    broken = apply_to_payload(payload, fault.payload, fault.without)
    text = json.dumps(broken, ensure_ascii=False, separators=(",", ":"))
    return {**cells, "payload": text, **fault.cells}


def apply_to_payload(payload: Payload, changes: Payload, without: tuple[str, ...]) -> Payload:
    """A payload with some fields replaced and others left out."""
    return {name: value for name, value in (payload | changes).items() if name not in without}


def apply_to_line(damage: Damage, line: str) -> str:
    """A line after damage to it as a whole; bytes that aren't UTF-8 are surrogates (`surrogateescape`)."""
    return _DAMAGES[damage](line)


def _leave_line(line: str) -> str:
    return line


def _cut_line(line: str) -> str:
    # Before the cells in quotes, so that what is left is still a line of its own.
    return ",".join(line.split(",")[:8]) + "\n"


def _add_cells(line: str) -> str:
    return line.replace("\n", ",1,new\n")


def _separate_thousands(line: str) -> str:
    event_id, rest = line.split(",", 1)
    return f"{int(event_id):,},{rest}"


def _encode_as_cp1251(line: str) -> str:
    title = "корзина".encode("cp1251").decode("utf-8", errors="surrogateescape")
    return line.replace("event_title", title, 1)


def _add_stray_byte(line: str) -> str:
    return line.replace(",", "\udcff,", 1)


def _open_quote(line: str) -> str:
    return line[: line.index("element_id")]


_DAMAGES: Final = {
    Damage.NONE: _leave_line,
    Damage.CUT: _cut_line,
    Damage.EXTRA_CELLS: _add_cells,
    Damage.THOUSANDS_SEPARATORS: _separate_thousands,
    Damage.LEGACY_ENCODING: _encode_as_cp1251,
    Damage.STRAY_BYTE: _add_stray_byte,
    Damage.OPEN_QUOTE: _open_quote,
}
