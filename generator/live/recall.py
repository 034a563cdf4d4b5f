"""What was acknowledged, event by event, and the answer key to it."""

import threading
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from clickstream.reasons import ErrorCode
from generator.answer_key import AnswerKey
from generator.live.options import Source
from generator.live.visits import Happening
from generator.live.wire import Packed, Parcel, Tally
from generator.plan import DAY_MS
from generator.recorded import SESSIONS, record_session
from generator.sessions import Session


class Recall:
    """Remembers the events of parcels; those of an acknowledged parcel belong to the key."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._under_way: dict[int, list[Happening]] = {}
        self._arrived: dict[Source, list[Happening]] = defaultdict(list)
        self._tallies: dict[Source, Tally] = defaultdict(Tally)

    def remember(self, packed: Packed) -> None:
        """Take note of a parcel before it is sent."""
        with self._lock:
            self._under_way[packed.parcel.number] = packed.happenings

    def acknowledge(self, parcel: Parcel) -> None:
        """A parcel has arrived."""
        with self._lock:
            self._arrived[parcel.source] += self._under_way.pop(parcel.number, [])
            self._tallies[parcel.source].add(parcel.tally)

    def write_key(self, path: Path, parameters: Mapping[str, Any], sources: Iterable[Source]) -> None:
        """Write the answer key to what has arrived."""
        with self._lock:
            arrived = {source: gather_sessions(self._arrived[source]) for source in sources}
            key = AnswerKey(parameters, [source.value for source in sources])
            for source, session in _by_start_day(arrived):
                key.add_session(session, source.value)
            for source in sources:
                tally = self._tallies[source]
                by_code = {ErrorCode(code): events for code, events in tally.by_code.items()}
                key.add_disturbances(source.value, tally.duplicate, tally.faulty, by_code)
        lines = (record_session(source.value, session) for source, session in _by_start_day(arrived))
        path.parent.mkdir(parents=True, exist_ok=True)
        key.write(path, {SESSIONS: lines})


def gather_sessions(happenings: Iterable[Happening]) -> list[Session]:
    """The sessions of some events, holding these alone, in the order in which they begin."""
    events = defaultdict(list)
    sessions = {}
    for session, event in happenings:
        sessions[session.session_id] = session
        events[session.session_id].append(event)
    whole = [
        Session(
            name,
            session.person,
            session.device,
            session.ip,
            sorted(events[name], key=lambda event: event.created_ms),
        )
        for name, session in sessions.items()
    ]
    return sorted(whole, key=_start)


def _start(session: Session) -> int:
    return session.events[0].created_ms


def _by_start_day(arrived: Mapping[Source, list[Session]]) -> Iterator[tuple[Source, Session]]:
    """All sessions, a day of all sources before the next day."""
    every = [(source, session) for source, sessions in arrived.items() for session in sessions]
    yield from sorted(every, key=lambda item: _start(item[1]) // DAY_MS)
