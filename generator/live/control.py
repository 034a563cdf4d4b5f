"""The live generator as a whole: what it does now, what it has done, and how it is told otherwise."""

import logging
import threading
import time
import uuid
from collections import deque
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final

import msgspec

from clickstream.errors import ClickstreamError
from clickstream.settings import Settings
from generator.live.account import Account, SourceTotals
from generator.live.lane import Crowd, Lane
from generator.live.options import LiveOptions, Source
from generator.live.pacing import factor_at
from generator.live.recall import Recall
from generator.live.targets import Targets
from generator.live.wire import Parcel
from generator.profiles import Population

logger: Final = logging.getLogger(__name__)

_RATE_SECONDS: Final = 10


class NotPossibleError(ClickstreamError):
    """The generator is not in a state for that."""


class SourceStatus(msgspec.Struct):
    """How one way stands.

    Attributes:
        received: Acknowledged events; the ledger's `received` must be the same.
        valid: Of these, distinct valid ones; the ledger's `stored`.
        duplicate: Of these, repeated ones; the ledger's `duplicate`.
        faulty: Of these, broken ones; the ledger's `quarantined`.
        faulty_by_code: How many of these earn each code.
        uncertain: Events of attempts of which it isn't known whether they arrived. `received`, and with it
            `duplicate` or `quarantined`, may be larger in the ledger by up to so much; `stored` never is.
        unacknowledged: Events that are under way.
        retries: Attempts of this process that failed.
        problem: What keeps events from being acknowledged; empty if nothing does.
    """

    received: int
    valid: int
    duplicate: int
    faulty: int
    faulty_by_code: dict[str, int]
    uncertain: int
    unacknowledged: int
    retries: int
    problem: str


class Status(msgspec.Struct):
    """What `GET /status` answers.

    Attributes:
        state: running, stopped or failed.
        options: What is generated, or was last.
        started_at: When that began; None if nothing was generated since the service started.
        due_per_second: Events that are to be sent a second right now, by rate and shape.
        acknowledged_per_second: Mean of the last ten seconds.
        sources: By source, since the data directory is there.
        problem: Why the generator failed; empty if it did not.
    """

    state: str
    options: LiveOptions
    started_at: datetime | None
    due_per_second: float
    acknowledged_per_second: float
    sources: dict[Source, SourceStatus]
    problem: str


class LiveGenerator:
    """Generates while it is told to, and goes on with that when its process starts again."""

    def __init__(self, settings: Settings, account: Account) -> None:
        self._settings = settings
        self._account = account
        self._lock = threading.Lock()
        self._meter = RateMeter()
        self.targets = Targets(settings, account, self._count)
        self._options = LiveOptions()
        self._run: Run | None = None
        self._started_at: datetime | None = None
        if account.wish is not None:
            logger.info("Going on with what was generated before.")
            self._start(account.wish)

    def start(self, options: LiveOptions) -> None:
        """Begin to generate.

        Raises:
            NotPossibleError: It does already.
        """
        with self._lock:
            if self._run is not None and self._run.is_alive:
                raise NotPossibleError(
                    "The generator is running already.",
                    hint="POST /rate changes its rate; stop it first to change anything else.",
                )
            self._account.record_wish(options)
            self._start(options)

    def stop(self) -> None:
        """Begin no more events; those under way are sent until they are acknowledged."""
        with self._lock:
            self._account.record_wish(None)
            if self._run is not None:
                self._run.stop()
                self._run = None

    def change_rate(self, options: LiveOptions) -> None:
        """Go on at the rate of these options.

        Raises:
            NotPossibleError: Nothing is being generated.
        """
        with self._lock:
            if self._run is None or not self._run.is_alive:
                raise NotPossibleError("The generator is stopped.", hint="POST /start starts it at a rate.")
            self._options = msgspec.structs.replace(self._options, rate_per_second=options.rate_per_second)
            self._account.record_wish(self._options)
            self._run.set_rate(self._options.rate_per_second)

    @property
    def options(self) -> LiveOptions:
        """What is generated, or was last."""
        return self._options

    def status(self) -> Status:
        """How it stands."""
        with self._lock:
            run, options, started_at = self._run, self._options, self._started_at
        is_running = run is not None and run.is_alive
        problem = run.problem if run is not None else ""
        senders = self.targets.known
        sources = {}
        for source, totals in self._account.totals().items():
            sources[source] = _source_status(totals)
            waiting = self._account.unacknowledged(source)
            sources[source].unacknowledged = sum(parcel.tally.events for parcel in waiting)
            if source in senders:
                sources[source].retries = senders[source].retries
                sources[source].problem = senders[source].problem
        due = options.rate_per_second * factor_at(options.shape, time.time()) if is_running else 0.0
        return Status(
            state="failed" if problem else "running" if is_running else "stopped",
            options=options,
            started_at=started_at,
            due_per_second=round(due, 3),
            acknowledged_per_second=self._meter.rate(),
            sources=sources,
            problem=problem,
        )

    def close(self) -> None:
        """End with the process: wait a little for acknowledgements; the rest is left in the account."""
        with self._lock:
            if self._run is not None:
                self._run.stop()
        deadline = time.monotonic() + self._settings.generator.stop_timeout_seconds
        for sender in self.targets.known.values():
            sender.drain(max(0.0, deadline - time.monotonic()))
        self.targets.close()
        self._account.close()

    def _start(self, options: LiveOptions) -> None:
        self._options = options
        self._started_at = datetime.now(UTC)
        self._run = Run(self._settings, options, self._account, self.targets)
        self._run.start()

    def _count(self, parcel: Parcel) -> None:
        self._meter.add(parcel.tally.events)


def _source_status(totals: SourceTotals) -> SourceStatus:
    counted = totals.acknowledged
    return SourceStatus(
        received=counted.events,
        valid=counted.valid,
        duplicate=counted.duplicate,
        faulty=counted.faulty,
        faulty_by_code=counted.by_code,
        uncertain=totals.uncertain.events,
        unacknowledged=0,
        retries=0,
        problem="",
    )


class Run:
    """One start of the generator: a thread for each way.

    Attributes:
        name: Names it; part of what the ids are made from.
        problem: Why it failed; empty if it did not.
    """

    def __init__(
        self,
        settings: Settings,
        options: LiveOptions,
        account: Account,
        targets: Targets,
        recall: Recall | None = None,
    ) -> None:
        self.name = uuid.uuid4().hex
        self.problem = ""
        self._settings = settings
        self._options = options
        self._account = account
        self._targets = targets
        self._recall = recall
        self._stop = threading.Event()
        self._rate = options.rate_per_second
        self._lanes: list[Lane] = []
        self._threads: list[threading.Thread] = []

    @property
    def is_alive(self) -> bool:
        """Whether it still makes events."""
        return any(thread.is_alive() for thread in self._threads)

    def start(self, events: int | None = None, at_once_minutes: float | None = None) -> None:
        """Begin.

        Args:
            events: How many to send; None for no end.
            at_once_minutes: Send them as fast as they are taken, as what happened in so many minutes until
                now; None to send them as they happen.
        """
        shares = _share(events, len(self._options.sources))
        self._threads = [
            threading.Thread(
                target=self._work, args=(place, share, at_once_minutes), name=f"lane-{place}", daemon=True
            )
            for place, share in enumerate(shares)
        ]
        for thread in self._threads:
            thread.start()

    def set_rate(self, rate: float) -> None:
        """Go on at another rate."""
        self._rate = rate
        for lane in self._lanes:
            lane.set_rate(rate / len(self._options.sources))

    def stop(self) -> None:
        """Begin no more events."""
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _work(self, place: int, events: int | None, at_once_minutes: float | None) -> None:
        try:
            lane = self._make_lane(place)
            if events is not None and at_once_minutes is not None:
                lane.run_at_once(self._stop, events, at_once_minutes)
            else:
                lane.run(self._stop, events)
        except Exception as error:
            logger.exception("The generator failed.")
            self.problem = f"{type(error).__name__}: {error}"
            self._stop.set()

    def _make_lane(self, place: int) -> Lane:
        options, source = self._options, self._options.sources[place]
        share = msgspec.structs.replace(options, rate_per_second=self._rate / len(options.sources))
        population = _gather_people(options.seed, self._settings.generator.people)
        # Two lanes of one seed would send the same visits.
        crowd = Crowd(population, options.seed + place, self.name)
        lane = Lane(share, crowd, self._targets.sender(source), self._account, self._recall)
        self._lanes.append(lane)
        lane.set_rate(self._rate / len(options.sources))  # It may have changed meanwhile.
        return lane


@lru_cache(maxsize=1)
def _gather_people(seed: int, people: int) -> Population:
    return Population(seed, people)


def _share(events: int | None, ways: int) -> Sequence[int | None]:
    """Whole events for each way, as even as can be."""
    if events is None:
        return [None] * ways
    return [events // ways + (place < events % ways) for place in range(ways)]


class RateMeter:
    """The mean rate of the last seconds."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._seconds: deque[list[int]] = deque(maxlen=_RATE_SECONDS + 1)

    def add(self, events: int) -> None:
        """Count events of this moment."""
        second = int(time.monotonic())
        with self._lock:
            if self._seconds and self._seconds[-1][0] == second:
                self._seconds[-1][1] += events
            else:
                self._seconds.append([second, events])

    def rate(self) -> float:
        """Events a second over the last ten whole seconds."""
        now = int(time.monotonic())
        with self._lock:
            counted = sum(events for second, events in self._seconds if now - _RATE_SECONDS <= second < now)
        return counted / _RATE_SECONDS
