"""Bodies of requests and records, filled with the shop's events as the live generator sends them."""

import time
from typing import Final

from generator.live.visits import Visits
from generator.live.wire import encode, make_fields
from generator.profiles import Population
from generator.sessions import SessionMaker

_SEED: Final = 7
_PEOPLE: Final = 500
_VISITS_EVENTS_PER_SECOND: Final = 500.0


def make_bodies(count: int, events_per_body: int, run: str) -> list[bytes]:
    """Makes bodies whose events happen now.

    Args:
        count: How many.
        events_per_body: One for a lone event instead of an array.
        run: Runs of different names share no ids.
    """
    maker = SessionMaker(_SEED, Population(_SEED, _PEOPLE), run)
    visits = Visits(maker, _VISITS_EVENTS_PER_SECOND, _SEED)
    if events_per_body == 1:
        return [_take_event(visits) for _ in range(count)]
    return [
        b"[" + b",".join(_take_event(visits) for _ in range(events_per_body)) + b"]" for _ in range(count)
    ]


def _take_event(visits: Visits) -> bytes:
    happening = visits.take()
    happening.event.created_ms = time.time_ns() // 1_000_000
    return encode(make_fields(happening))
