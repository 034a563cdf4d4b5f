"""Looks at parts of the system in threads of their own, so that a part that hangs delays no scrape."""

import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from monitoring.exporter import metrics

_log: Final = logging.getLogger(__name__)
_REST: Final = 30
"""A probe rests for this many times as long as its look took, so that it stays cheap as tables grow."""

_LONGEST_REST_SECONDS: Final = 120.0
_STALE_AFTER_SECONDS: Final = 60.0
HANGS_AFTER_SECONDS: Final = 300.0
"""Clients give up long before that, so a look that takes longer will never end."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What a probe found.

    Attributes:
        families: The metrics; none if the look failed.
        is_good: Whether it succeeded.
        seconds: How long it took.
        ended: When it ended, on the monotonic clock.
    """

    families: Sequence[Metric]
    is_good: bool
    seconds: float
    ended: float


class Probe(threading.Thread):
    """Looks again and again, and keeps what it saw last."""

    def __init__(self, name: str, look: Callable[[], Sequence[Metric]], every_seconds: float) -> None:
        super().__init__(name=name, daemon=True)
        self._look = look
        self._every_seconds = every_seconds
        self._stopping = threading.Event()
        self._reading: Reading | None = None
        self._looking_since: float | None = None

    def run(self) -> None:
        """Looks until it is stopped."""
        while not self._stopping.is_set():
            self.look_once()
            reading = self._reading
            rest = min(_REST * reading.seconds, _LONGEST_REST_SECONDS) if reading and reading.is_good else 0.0
            self._stopping.wait(max(self._every_seconds, rest))

    def look_once(self) -> None:
        """Looks; a failure is logged when it begins and when it ends."""
        was_good = self._reading is None or self._reading.is_good
        self._looking_since = started = time.monotonic()
        families: Sequence[Metric] = ()
        problem = ""
        try:
            families = self._look()
        except Exception as error:
            # The text of an error may quote a statement; its kind says enough.
            problem = type(error).__name__
        now = time.monotonic()
        self._looking_since = None
        self._reading = Reading(families, not problem, now - started, now)
        if problem and was_good:
            _log.warning("The probe %s fails: %s", self.name, problem)
        elif not problem and not was_good:
            _log.info("The probe %s succeeds again.", self.name)

    def stop(self) -> None:
        """Ends the thread soon."""
        self._stopping.set()

    def hangs(self, now: float) -> bool:
        """Whether a look has been going on for so long that only a restart of the exporter ends it.

        Args:
            now: The time on the monotonic clock.
        """
        since = self._looking_since
        return since is not None and now - since > HANGS_AFTER_SECONDS

    def reading(self) -> Reading | None:
        """What was seen last; None if nothing was, or if that is so long ago that the look must hang."""
        reading = self._reading
        if reading is None:
            return None
        patience = max(self._every_seconds, min(_REST * reading.seconds, _LONGEST_REST_SECONDS))
        is_stale = time.monotonic() - reading.ended > patience + _STALE_AFTER_SECONDS
        return None if is_stale else reading


class ProbeCollector(Collector):
    """The metrics of all probes. A part that can't be seen has none: nothing old is taken for the present."""

    def __init__(self, probes: Sequence[Probe]) -> None:
        self._probes = probes

    def collect(self) -> Iterator[Metric]:
        """The last readings."""
        readings = {probe.name: probe.reading() for probe in self._probes}
        yield metrics.PROBE_UP.family(
            ((name,), float(reading is not None and reading.is_good)) for name, reading in readings.items()
        )
        yield metrics.PROBE_SECONDS.family(
            ((name,), reading.seconds) for name, reading in readings.items() if reading is not None
        )
        for reading in readings.values():
            yield from reading.families if reading is not None else ()
