"""What can be wrong with an event that travels as JSON."""

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random
from typing import Any, Final

from clickstream.reasons import ErrorCode
from generator.faults import FAULTS, Damage, apply_to_payload
from generator.live.options import Source
from generator.live.visits import Happening
from generator.live.wire import Item, Kind, encode, make_fields
from generator.quirks import write_payload

_E = ErrorCode


@dataclass(frozen=True)
class WireFault:
    """One way in which an event is broken.

    Attributes:
        name: What happened.
        codes: What it must earn, no more and no less.
        fields: Fields that are replaced.
        payload: Fields of the payload that are replaced.
        without: Fields of the payload that are left out.
        instead: What is sent in place of the event; None for an object.
        is_record: Whether the whole record is that, so that nothing else can be in it.
        is_rare: So large that it comes seldom.
    """

    name: str
    codes: tuple[ErrorCode, ...]
    fields: dict[str, Any]
    payload: dict[str, Any]
    without: tuple[str, ...] = ()
    instead: bytes | None = None
    is_record: bool = False
    is_rare: bool = False

    def apply(self, happening: Happening, event_id: int) -> Item:
        """A broken item beside an event: like it, with an id of its own."""
        if self.instead is not None:
            return Item(self.instead, Kind.FAULTY, self.codes, is_record=self.is_record)
        payload = apply_to_payload(write_payload(happening.event), self.payload, self.without)
        fields = {**make_fields(happening), "id": event_id, "payload": payload, **self.fields}
        return Item(encode(fields), Kind.FAULTY, self.codes)


def _with_fields(name: str, code: ErrorCode, **fields: Any) -> WireFault:
    return WireFault(name, (code,), fields, {})


def _instead(name: str, code: ErrorCode, body: bytes, *, is_record: bool = False) -> WireFault:
    return WireFault(name, (code,), {}, {}, instead=body, is_record=is_record)


# Those of a CSV file that are about an event's content: its cells are JSON strings here.
_OF_CONTENT: Final = tuple(
    WireFault(fault.name, fault.codes, dict(fault.cells), fault.payload, fault.without, is_rare=fault.is_rare)
    for fault in FAULTS
    if fault.damage is Damage.NONE
)

_OF_TYPES: Final = (
    _with_fields("session_id is a number", _E.WRONG_TYPE, session_id=5),
    _with_fields("user_id is true", _E.WRONG_TYPE, user_id=True),
    _with_fields("url is a list", _E.WRONG_TYPE, url=["/cart"]),
    _with_fields("created_at is a number", _E.WRONG_TYPE, created_at=1_735_725_600),
    _with_fields("url is null", _E.MISSING_FIELD, url=None),
    _with_fields("id is a fraction", _E.INVALID_NUMBER, id=1.5),
    _with_fields("payload is a JSON list", _E.INVALID_PAYLOAD, payload=["open_cart", "#cart-icon"]),
    _with_fields("payload is a number", _E.INVALID_PAYLOAD, payload=17),
)

_OF_RECORDS: Final = (
    _instead("an item is a list", _E.NOT_AN_OBJECT, b'["view","#hero-banner"]'),
    _instead("an item is a text", _E.NOT_AN_OBJECT, b'"click"'),
    _instead("an item is null", _E.NOT_AN_OBJECT, b"null"),
    _instead("JSON cut off", _E.INVALID_JSON, b'{"type":"view","session_id":"s', is_record=True),
    _instead("a CSV line", _E.INVALID_JSON, b"1,view,2025-01-01T10:00:00Z,s1", is_record=True),
    _instead("nothing at all", _E.INVALID_JSON, b"", is_record=True),
    _instead("record is a number", _E.NOT_AN_OBJECT, b"42", is_record=True),
    _instead(
        "text in a legacy encoding",
        _E.INVALID_ENCODING,
        '{"type":"view","payload":{"event_title":"корзина"}}'.encode("cp1251"),
        is_record=True,
    ),
)

WIRE_FAULTS: Final[dict[Source, tuple[WireFault, ...]]] = {
    Source.HTTP: _OF_CONTENT + _OF_TYPES,
    Source.BROKER: _OF_CONTENT + _OF_TYPES + _OF_RECORDS,
}
"""Every fault, by the way it can go: over HTTP a body that isn't JSON is refused as a whole."""

_TURNS_PER_RARE: Final = 20


def take_turns(source: Source, rng: Random) -> Iterator[WireFault]:
    """Faults without end: each has its turn before any comes again, the rare ones seldom."""
    turns = 0
    while True:
        has_rare = turns % _TURNS_PER_RARE == 0
        turn = [fault for fault in WIRE_FAULTS[source] if has_rare or not fault.is_rare]
        rng.shuffle(turn)
        yield from turn
        turns += 1
