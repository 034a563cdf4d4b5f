"""Events as they travel: items of JSON, packed into the bodies of requests and records."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from enum import StrEnum
from typing import Any, Final, NamedTuple

import msgspec

from clickstream.reasons import ErrorCode
from generator.csv_lines import format_time
from generator.live.options import DEFAULT_GENERATOR, Source
from generator.live.pacing import BATCH_EVENTS
from generator.live.visits import Happening
from generator.quirks import write_payload


class Kind(StrEnum):
    """What must become of an item: stored, recognised as known, or quarantined."""

    VALID = "valid"
    DUPLICATE = "duplicate"
    FAULTY = "faulty"


class Item(msgspec.Struct, frozen=True):
    """One event as sent.

    Attributes:
        body: Its JSON text, or what stands for it.
        kind: What must become of it.
        codes: What it must earn if it is faulty.
        happening: The event, if it is valid.
        is_record: Whether it can't share a record with others, because the record can't be taken apart.
    """

    body: bytes
    kind: Kind
    codes: tuple[ErrorCode, ...] = ()
    happening: Happening | None = None
    is_record: bool = False


class Tally(msgspec.Struct):
    """Numbers of items by kind, and of faulty ones by code."""

    valid: int = 0
    duplicate: int = 0
    faulty: int = 0
    by_code: dict[str, int] = {}

    @classmethod
    def of(cls, items: Iterable[Item]) -> "Tally":
        """Counts items."""
        parts = list(items)
        kinds = Counter(item.kind for item in parts)
        codes = Counter(code.value for item in parts for code in item.codes)
        return cls(kinds[Kind.VALID], kinds[Kind.DUPLICATE], kinds[Kind.FAULTY], dict(codes))

    @property
    def events(self) -> int:
        """All of them."""
        return self.valid + self.duplicate + self.faulty

    def add(self, other: "Tally") -> None:
        """Add what another tally counts."""
        self.valid += other.valid
        self.duplicate += other.duplicate
        self.faulty += other.faulty
        for code, events in other.by_code.items():
            self.by_code[code] = self.by_code.get(code, 0) + events


class Parcel(msgspec.Struct, frozen=True):
    """The body of one request or record.

    Attributes:
        number: Names it within an account.
        source: Which way it goes.
        body: What is sent, the same at every attempt.
        tally: What it holds.
        generator: Which generator made it.
    """

    number: int
    source: Source
    body: bytes
    tally: Tally
    generator: str = DEFAULT_GENERATOR


class Packed(NamedTuple):
    """A parcel and the valid events in it."""

    parcel: Parcel
    happenings: list[Happening]


def make_fields(happening: Happening) -> dict[str, Any]:
    """The fields of an event as the wire format wants them."""
    session, event = happening
    return {
        "id": event.event_id,
        "type": "click" if event.is_click else "view",
        "created_at": format_time(event.created_ms),
        "session_id": session.session_id,
        "ip": session.ip,
        "user_id": session.person.user_id,
        "url": event.url,
        "referrer": event.referrer,
        "device_type": session.device.device_type,
        "user_agent": session.device.user_agent,
        "payload": write_payload(event),
    }


_ENCODER: Final = msgspec.json.Encoder()
encode: Final = _ENCODER.encode


def make_valid(happening: Happening) -> Item:
    """An event that must be stored."""
    return Item(encode(make_fields(happening)), Kind.VALID, happening=happening)


def pack(
    items: Iterable[Item],
    source: Source,
    next_number: Callable[[], int],
    generator: str = DEFAULT_GENERATOR,
) -> Iterator[Packed]:
    """Puts items into parcels, in their order but for those that travel alone.

    Args:
        items: What to send.
        source: Which way.
        next_number: Gives the number of each parcel.
        generator: Who made the items.
    """
    held: list[Item] = []
    for item in items:
        if item.is_record:
            yield Packed(Parcel(next_number(), source, item.body, Tally.of([item]), generator), [])
            continue
        held.append(item)
        if len(held) == BATCH_EVENTS:
            yield _make_batch(held, source, next_number(), generator)
            held = []
    if held:
        yield _make_batch(held, source, next_number(), generator)


def _make_batch(items: list[Item], source: Source, number: int, generator: str) -> Packed:
    body = b"[" + b",".join(item.body for item in items) + b"]"
    happenings = [item.happening for item in items if item.happening is not None]
    return Packed(Parcel(number, source, body, Tally.of(items), generator), happenings)
