"""One start of a generator: a thread for each way."""

import logging
import threading
import uuid
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

import msgspec

from clickstream.settings import Settings
from generator.live.account import Account
from generator.live.lane import Crowd, Lane
from generator.live.options import DEFAULT_GENERATOR, LiveOptions
from generator.live.recall import Recall
from generator.live.targets import Targets
from generator.profiles import Population

logger: Final = logging.getLogger(__name__)


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
        generator: str = DEFAULT_GENERATOR,
    ) -> None:
        self.name = uuid.uuid4().hex
        self.problem = ""
        self._settings = settings
        self._options = options
        self._account = account
        self._targets = targets
        self._recall = recall
        self._generator = generator
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
            at_once_minutes: Send them as fast as they are taken, as what happened in this many minutes until
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
        crowd = Crowd(population, options.seed, self.name, self._generator)
        lane = Lane(share, crowd, self._targets.sender(source), self._account, self._recall)
        self._lanes.append(lane)
        lane.set_rate(self._rate / len(options.sources))  # It may have changed in between.
        return lane


@lru_cache(maxsize=8)
def _gather_people(seed: int, people: int) -> Population:
    return Population(seed, people)


def _share(events: int | None, ways: int) -> Sequence[int | None]:
    """Whole events for each way, as even as can be."""
    if events is None:
        return [None] * ways
    return [events // ways + (place < events % ways) for place in range(ways)]
