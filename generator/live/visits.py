"""Who is in the shop at this moment: many visits at once, event by event in the order of time."""

import heapq
from random import Random
from typing import Final, NamedTuple

from generator.randomness import make_random
from generator.sessions import EVENTS_PER_SESSION, Event, Session, SessionMaker

_SECOND_MS: Final = 1_000


class Happening(NamedTuple):
    """One event and the visit that it belongs to."""

    session: Session
    event: Event


class Visits:
    """An endless stream of events in which visits overlap.

    The clock of the visits runs by itself: it is as fast as events are taken. Taken at the rate that visits
    are made for, it keeps step with real time, and so do the pauses between the events of a visit.
    """

    def __init__(self, maker: SessionMaker, rate: float, seed: int) -> None:
        self._maker = maker
        self._rng: Random = make_random("arrivals", seed)
        self._next_start_ms = 0.0
        # When, a number that tells visits of one moment apart, the event's place in its visit, the visit.
        self._upcoming: list[tuple[int, int, int, Session]] = []
        self._number = 0
        self.rate = rate

    def take(self) -> Happening:
        """The next event; its time is that of the visits' own clock, in milliseconds from 0."""
        while not self._upcoming or self._next_start_ms <= self._upcoming[0][0]:
            self._begin_visit()
        _, number, place, session = self._upcoming[0]
        if place + 1 < len(session.events):
            following = session.events[place + 1]
            heapq.heapreplace(self._upcoming, (following.created_ms, number, place + 1, session))
        else:
            heapq.heappop(self._upcoming)
        return Happening(session, session.events[place])

    def make_event_id(self) -> int:
        """An id that no other event has."""
        return self._maker.make_event_id()

    def _begin_visit(self) -> None:
        session = self._maker.make_session(int(self._next_start_ms))
        self._number += 1
        heapq.heappush(self._upcoming, (session.events[0].created_ms, self._number, 0, session))
        self._next_start_ms += self._rng.expovariate(self.rate / EVENTS_PER_SESSION) * _SECOND_MS


class WallClock:
    """Sets events to the moment at which they are sent, those of a visit one after the other."""

    def __init__(self) -> None:
        self._last_of_visit: dict[str, int] = {}

    def stamp(self, happening: Happening, now_ms: int) -> None:
        """Set the time of an event to now, or just after the event before it in its visit."""
        session, event = happening
        last = self._last_of_visit.get(session.session_id, 0)
        event.created_ms = max(now_ms, last + 1)
        if event is session.events[-1]:
            self._last_of_visit.pop(session.session_id, None)
        else:
            self._last_of_visit[session.session_id] = event.created_ms
