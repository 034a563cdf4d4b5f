"""A data set in files: the events with all that is wrong with them, the people, and the answer key."""

import csv
import errno
import gzip
from bisect import bisect_left
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from random import Random
from typing import IO, Final, cast

import zstandard

from clickstream.errors import BadInputError
from generator.answer_key import AnswerKey, Witness
from generator.csv_lines import COLUMNS, SessionLines, format_line, make_cells
from generator.faults import OPEN_QUOTE, apply_to_cells, apply_to_line, plan_faults
from generator.plan import DAY_MS, MINUTE_MS, DatasetFiles, Plan
from generator.profiles import Population
from generator.quirks import QuirkTurns, write_payload
from generator.randomness import make_random
from generator.rhythm import Minute, plan_minutes
from generator.sessions import EVENTS_PER_SESSION, Event, Session, SessionMaker

LATE_SHARE: Final = 0.01
"""Share of the valid events that reach the file later than those around them."""

QUIRK_SHARE: Final = 0.015
"""Share of the valid events that are written in an unusual way."""

_HOUR_MS: Final = 3_600_000
_EVENTS_A_DAY_FOR_NIGHT_OWLS: Final = 100
_CHUNK_RECORDS: Final = 4_096

_LATE_DELAYS: Final = ((0.6, 30 * MINUTE_MS), (0.9, 12 * _HOUR_MS), (1.0, 3 * DAY_MS))
_DUPLICATE_DELAYS: Final = ((0.4, 1), (0.75, _HOUR_MS), (1.0, 2 * DAY_MS))
"""Up to which share, at most how late. A delay of 0 ms puts a duplicate right behind its original."""

OnProgress = Callable[[int], None]
"""Told how many records were written since it was last called."""


def write_dataset(plan: Plan, files: DatasetFiles, on_progress: OnProgress) -> None:
    """Write events, users and answer key; all of them or, on failure, none.

    Args:
        plan: What to write; `Plan.check` found nothing wrong with it.
        files: Where to; `DatasetFiles.check` found nothing wrong with them.
        on_progress: Told how many records were written since it was last called.

    Raises:
        BadInputError: A file can't be written.
    """
    population = Population(plan.seed, count_people(plan))
    key = AnswerKey(plan.parameters())
    with ExitStack() as stack:
        events, users, key_path = (
            stack.enter_context(_replace_when_done(path)) for path in (files.events, files.users, files.key)
        )
        _write_users(users, population)
        with _open_compressed(events, files.events.suffix) as file:
            file.write((",".join(COLUMNS) + "\n").encode())
            for text, records in RecordStream(plan, population, key).make_chunks():
                file.write(text.encode("utf-8", errors="surrogateescape"))
                on_progress(records)
        key.write(key_path)


class RecordStream:
    """The records of a plan in the order in which they reach the file, told to a witness."""

    def __init__(self, plan: Plan, population: Population, witness: Witness) -> None:
        self._plan = plan
        self._witness = witness
        self._maker = SessionMaker(plan.seed, population)
        self._lines = SessionLines()
        self._rng = rng = make_random("disturbances", plan.seed)
        valid = plan.valid_events
        self._faults = plan_faults(plan.faulty_records, plan.events, rng)
        self._fault_turns = Scatter(plan.faulty_records, valid, rng)
        self._duplicate_turns = Scatter(plan.duplicate_records, valid, rng)
        self._late_turns = Scatter(round(valid * LATE_SHARE), valid, rng)
        self._quirk_turns = Scatter(round(valid * QUIRK_SHARE), valid, rng)
        self._quirks = QuirkTurns()
        self._made = 0
        # Records by the moment at which they reach the file.
        self._pending: list[tuple[int, str]] = []
        self._last_line = ""

    def make_chunks(self) -> Iterator[tuple[str, int]]:
        """Chunks of whole lines, and how many records each holds."""
        for minute in plan_minutes(self._plan):
            self._make_minute(minute)
            if len(self._pending) >= _CHUNK_RECORDS:
                yield self._release(minute.start_ms + MINUTE_MS)
        text, records = self._release(None)
        yield text + self._last_line, records + bool(self._last_line)

    def _make_minute(self, minute: Minute) -> None:
        rng = self._rng
        is_dense = self._plan.valid_events >= _EVENTS_A_DAY_FOR_NIGHT_OWLS * self._plan.days
        if is_dense and minute.is_last_of_day:
            # So that some session crosses each midnight.
            self._add_session(minute.start_ms + MINUTE_MS - 1 - int(rng.random() * 10_000), minute.known)
        while self._made < minute.events_until_then:
            self._add_session(minute.start_ms + int(rng.random() * MINUTE_MS), minute.known)

    def _add_session(self, start_ms: int, known: float) -> None:
        session = self._maker.make_session(start_ms, known)
        # The data end at midnight of the last day and with the last event asked for, also amid a visit.
        left = self._plan.valid_events - self._made
        end_ms = self._plan.end_ms
        session.events = [event for event in session.events[:left] if event.created_ms < end_ms]
        if not session.events:
            return
        first = self._made
        self._made += len(session.events)
        if self._quirk_turns.next < self._made:
            self._apply_quirks(session, first)
        self._witness.add_session(session)
        lines = self._lines.format_events(session)
        if self._is_undisturbed():
            self._pending.extend(
                [(e.created_ms, line) for e, line in zip(session.events, lines, strict=True)]
            )
            return
        for number, (event, line) in enumerate(zip(session.events, lines, strict=True), first):
            self._add_disturbed(number, event, session, line)

    def _apply_quirks(self, session: Session, first: int) -> None:
        for number, event in enumerate(session.events, first):
            if self._quirk_turns.next <= number and self._quirks.apply_next(event, session):
                self._quirk_turns.advance()

    def _is_undisturbed(self) -> bool:
        nearest = min(self._fault_turns.next, self._duplicate_turns.next, self._late_turns.next)
        return nearest >= self._made

    def _add_disturbed(self, number: int, event: Event, session: Session, line: str) -> None:
        """Add the line of an event, with the delay, duplicates and faults whose turn it is."""
        created_ms = event.created_ms
        if self._late_turns.next <= number:
            self._late_turns.advance()
            self._pending.append((created_ms + self._draw_delay(_LATE_DELAYS), line))
        else:
            self._pending.append((created_ms, line))
        while self._duplicate_turns.next <= number:
            self._duplicate_turns.advance()
            self._witness.add_duplicate()
            self._pending.append((created_ms + self._draw_delay(_DUPLICATE_DELAYS), line))
        while self._fault_turns.next <= number:
            self._fault_turns.advance()
            self._add_fault(event, session)

    def _add_fault(self, event: Event, session: Session) -> None:
        """Add a broken record beside an event: like it, with an id of its own."""
        fault = next(self._faults)
        self._witness.add_fault(fault.codes)
        cells = make_cells(event, session) | {"id": str(self._maker.make_event_id())}
        line = format_line(apply_to_cells(fault, cells, write_payload(event)))
        line = apply_to_line(fault.damage, line)
        if fault is OPEN_QUOTE:
            self._last_line = line
        else:
            self._pending.append((event.created_ms, line))

    def _draw_delay(self, delays: tuple[tuple[float, int], ...]) -> int:
        kind = self._rng.random()
        longest = next(longest for share, longest in delays if kind < share)
        return int(self._rng.random() * longest)

    def _release(self, until_ms: int | None) -> tuple[str, int]:
        """The records that reach the file before a moment (None: all), in order."""
        self._pending.sort()
        count = len(self._pending) if until_ms is None else bisect_left(self._pending, (until_ms, ""))
        text = "".join([line for _, line in self._pending[:count]])
        del self._pending[:count]
        return text, count


class Scatter:
    """Places a fixed number of things among a number of events: evenly by and large, at random in detail.

    Attributes:
        next: Number of the event at which the next thing is due; infinite after the last.
    """

    def __init__(self, things: int, events: int, rng: Random) -> None:
        self._things = things
        self._events = events
        self._rng = rng
        self._placed = -1
        self.next = 0.0
        self.advance()

    def advance(self) -> None:
        """Go on to the next thing."""
        self._placed += 1
        if self._placed >= self._things:
            self.next = float("inf")
        else:
            self.next = int((self._placed + self._rng.random()) * self._events / self._things)


def count_people(plan: Plan) -> int:
    """As many people as the sessions need, given that some come back: the longer the data, the more often."""
    sessions = plan.valid_events / EVENTS_PER_SESSION
    return round(sessions / (1 + 0.12 * plan.days))


def _write_users(path: Path, population: Population) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("id", "fio", "country"))
        writer.writerows((person.user_id, person.fio, person.country) for person in population.people)


@contextmanager
def _replace_when_done(path: Path) -> Iterator[Path]:
    """Gives a file beside a path, and moves it there on success; on failure nothing is left of it."""
    part = path.with_name(path.name + ".part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists() and not path.is_file():
            raise OSError(errno.EINVAL, "it is there already, and no regular file")
        part.touch()
    except OSError as error:
        raise BadInputError(
            f"Can't write {path}: {error.strerror}.", hint="Choose another file with --out or --users."
        ) from error
    try:
        yield part
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


@contextmanager
def _open_compressed(path: Path, suffix: str) -> Iterator[IO[bytes]]:
    """Opens a file for writing bytes, compressed as the suffix says; the same input gives the same bytes."""
    with path.open("wb") as raw:
        if suffix == ".gz":
            # No name and no time in the header, which would differ from run to run.
            with gzip.GzipFile(filename="", mode="wb", compresslevel=6, fileobj=raw, mtime=0) as packed:
                yield cast(IO[bytes], packed)
        elif suffix == ".zst":
            with zstandard.ZstdCompressor(level=3).stream_writer(raw, closefd=False) as stream:
                yield cast(IO[bytes], stream)
        else:
            yield raw
