"""One live generator: what it does now, what it has done, and how it is told otherwise."""

import logging
import threading
import time
from datetime import UTC, datetime, timedelta
from typing import Final

import msgspec

from clickstream.errors import ClickstreamError
from clickstream.settings import Settings
from generator.live.account import Account, SourceTotals
from generator.live.meter import RateMeter
from generator.live.options import LiveOptions, Source
from generator.live.pacing import factor_at
from generator.live.run import Run
from generator.live.targets import Targets

logger: Final = logging.getLogger(__name__)


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
        uncertain: Events of attempts that may or may not have arrived. `received`, and with it
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

    def was_interrupted(self, now: datetime) -> bool:
        """Whether it ended before its time because its service did, and was told not to go on by itself."""
        ends_at = self.options.ends_at
        is_at_rest = self.state == "stopped" and self.started_at is None
        return is_at_rest and not self.options.resumes and ends_at is not None and ends_at > now


class LiveGenerator:
    """Generates while it is told to, and goes on when its process starts again, unless told otherwise.

    Attributes:
        name: Tells it from the others of the service.
        meter: How fast its events are acknowledged.
    """

    def __init__(self, name: str, settings: Settings, account: Account, targets: Targets) -> None:
        self.name = name
        self.meter = RateMeter()
        self._settings = settings
        self._account = account
        self._targets = targets
        self._lock = threading.Lock()
        self._options = LiveOptions()
        self._run: Run | None = None
        self._started_at: datetime | None = None
        self._timer: threading.Timer | None = None
        self._resume()

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
            ends_at = datetime.now(UTC) + timedelta(minutes=options.minutes) if options.minutes else None
            timed = msgspec.structs.replace(options, ends_at=ends_at)
            self._account.record_wish(timed, self.name)
            self._start(timed)

    def stop(self) -> None:
        """Begin no more events; those under way are sent until they are acknowledged."""
        with self._lock:
            self._stop()

    def change_rate(self, options: LiveOptions) -> None:
        """Go on at the rate of these options.

        Raises:
            NotPossibleError: Nothing is being generated.
        """
        with self._lock:
            if self._run is None or not self._run.is_alive:
                raise NotPossibleError("The generator is stopped.", hint="POST /start starts it at a rate.")
            self._options = msgspec.structs.replace(self._options, rate_per_second=options.rate_per_second)
            self._account.record_wish(self._options, self.name)
            self._run.set_rate(self._options.rate_per_second)

    @property
    def options(self) -> LiveOptions:
        """What is generated, or was last."""
        return self._options

    @property
    def is_at_rest(self) -> bool:
        """Whether it makes no events and none of its events is under way."""
        with self._lock:
            is_alive = self._run is not None and self._run.is_alive
        return not is_alive and not any(self._account.unacknowledged(source, self.name) for source in Source)

    def status(self, *, of_all: bool = False) -> Status:
        """How it stands.

        Args:
            of_all: Count what all generators of the account have sent, those that were removed among them.
        """
        whose = None if of_all else self.name
        with self._lock:
            run, options, started_at = self._run, self._options, self._started_at
        is_running = run is not None and run.is_alive
        problem = run.problem if run is not None else ""
        senders = self._targets.known
        sources = {}
        for source, totals in self._account.totals(whose).items():
            sources[source] = _source_status(totals)
            waiting = self._account.unacknowledged(source, whose)
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
            acknowledged_per_second=self.meter.rate(),
            sources=sources,
            problem=problem,
        )

    def end(self) -> None:
        """Begin no more events, and go on with it in the next process."""
        with self._lock:
            self._forget_timer()
            if self._run is not None:
                self._run.stop()

    def _resume(self) -> None:
        """Goes on with what the last process generated, unless that is not wanted or its time is over."""
        wish = self._account.wish(self.name)
        if wish is None:
            return
        if not wish.resumes or (wish.ends_at is not None and wish.ends_at <= datetime.now(UTC)):
            self._options = wish
            self._account.record_wish(None, self.name)
            return
        logger.info("%s goes on with what it generated before.", self.name)
        self._start(wish)

    def _stop(self) -> None:
        self._forget_timer()
        self._account.record_wish(None, self.name)
        if self._run is not None:
            self._run.stop()
            self._run = None

    def _forget_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _expire(self, run: Run) -> None:
        """Ends a run whose time is over, unless it has been stopped already."""
        with self._lock:
            if self._run is run:
                logger.info("%s ends, since its time is over.", self.name)
                self._stop()

    def _start(self, options: LiveOptions) -> None:
        self._options = options
        self._started_at = datetime.now(UTC)
        self._run = Run(self._settings, options, self._account, self._targets, generator=self.name)
        self._run.start()
        self._forget_timer()
        if options.ends_at is not None:
            left = (options.ends_at - self._started_at).total_seconds()
            self._timer = threading.Timer(max(0.0, left), self._expire, (self._run,))
            self._timer.daemon = True
            self._timer.start()


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
