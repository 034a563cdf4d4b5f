"""One way for events: makes them, disturbs some, packs and sends them."""

import threading
import time
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from generator.live.account import Account
from generator.live.options import DEFAULT_GENERATOR, LiveOptions, Source
from generator.live.pacing import Pacer
from generator.live.recall import Recall
from generator.live.sender import Sender
from generator.live.visits import Happening, Visits, WallClock
from generator.live.wire import Item, Kind, make_valid, pack
from generator.live.wire_faults import take_turns
from generator.profiles import Population
from generator.randomness import make_random
from generator.sessions import SessionMaker

_REPEATABLE: Final = 1_000
"""A repeated event is drawn from this many latest events."""

_SECOND_MS: Final = 1_000


@dataclass(frozen=True)
class Crowd:
    """Whose events a lane sends.

    Attributes:
        population: The people.
        seed: With the generator's name and the way, what they do.
        run: Makes ids of events and sessions that no other run has.
        generator: Name of the generator that they belong to.
    """

    population: Population
    seed: int
    run: str
    generator: str = DEFAULT_GENERATOR

    def visits_seed(self, source: Source) -> int:
        """The seed of the visits that are sent one way.

        Independent of the other way, of other generators and of a file with the same seed: with the plain
        seed, all of them would send the same visits under other ids, which looks like counting twice.
        """
        return make_random(f"visits of {self.generator} {source}", self.seed).getrandbits(64)


class Lane:
    """Sends events one way, in step with the clock or at once.

    A repeated event goes the way of its original, so that the ledger of a source doesn't depend on another.
    """

    def __init__(
        self,
        options: LiveOptions,
        crowd: Crowd,
        sender: Sender,
        account: Account,
        recall: Recall | None = None,
    ) -> None:
        """Make a lane that is still at rest.

        Args:
            options: What is asked of it; its rate is that of this lane alone.
            crowd: Whose events they are.
            sender: Where to.
            account: Gives the parcels their numbers.
            recall: Remembers every event for an answer key.
        """
        self._options = options
        self._sender = sender
        self._account = account
        self._recall = recall
        self._generator = crowd.generator
        seed = crowd.visits_seed(sender.source)
        maker = SessionMaker(seed, crowd.population, f"{crowd.run} {sender.source}")
        self._visits = Visits(maker, options.rate_per_second, seed)
        self._rng = make_random("live disturbances", seed)
        self._faults = take_turns(sender.source, self._rng)
        self._clock = WallClock()
        self._pacer = Pacer(options.rate_per_second, options.shape, time.monotonic())
        self._recent: deque[bytes] = deque(maxlen=_REPEATABLE)
        self._last: Happening | None = None

    @property
    def source(self) -> Source:
        """The way that it sends."""
        return self._sender.source

    def set_rate(self, rate: float) -> None:
        """Go on at another rate."""
        self._pacer.rate = self._visits.rate = rate

    def run(self, stop: threading.Event, events: int | None = None) -> None:
        """Send events as they happen until told to stop, or until the given number was sent."""
        left = events
        while not stop.is_set() and left != 0:
            due = self._pacer.take(time.monotonic(), time.time())
            if left is not None:
                due = min(due, left)
                left -= due
            now_ms = int(time.time() * _SECOND_MS)
            items = [self._make_item(self._draw_kind(), now_ms) for _ in range(due)]
            if not self._send(items, stop):
                return
            if left != 0:
                stop.wait(self._pacer.pause_seconds)

    def run_at_once(self, stop: threading.Event, events: int, minutes: float) -> None:
        """Send a number of events as fast as they are accepted: what happened in the last minutes until now.

        The shares of broken and repeated ones are met exactly, and the first event is valid.
        """
        faulty = round(events * self._options.faults_percent / 100)
        duplicate = round(events * self._options.duplicates_percent / 100)
        valid = events - faulty - duplicate
        self._visits.rate = valid / (minutes * 60)
        happenings = [self._visits.take() for _ in range(valid)]
        shift_ms = int(time.time() * _SECOND_MS) - happenings[-1].event.created_ms
        for happening in happenings:
            happening.event.created_ms += shift_ms
        kinds = [Kind.VALID] * (valid - 1) + [Kind.FAULTY] * faulty + [Kind.DUPLICATE] * duplicate
        self._rng.shuffle(kinds)
        self._send(self._lay_out([Kind.VALID, *kinds], iter(happenings)), stop)

    def _lay_out(self, kinds: Iterable[Kind], happenings: Iterator[Happening]) -> Iterator[Item]:
        for kind in kinds:
            if kind is Kind.VALID:
                yield self._take_valid(next(happenings))
            else:
                yield self._disturb(kind)

    def _draw_kind(self) -> Kind:
        draw = self._rng.random() * 100
        if self._last is None or draw >= self._options.faults_percent + self._options.duplicates_percent:
            return Kind.VALID
        return Kind.FAULTY if draw < self._options.faults_percent else Kind.DUPLICATE

    def _make_item(self, kind: Kind, now_ms: int) -> Item:
        if kind is not Kind.VALID:
            return self._disturb(kind)
        happening = self._visits.take()
        self._clock.stamp(happening, now_ms)
        return self._take_valid(happening)

    def _take_valid(self, happening: Happening) -> Item:
        item = make_valid(happening)
        self._last = happening
        self._recent.append(item.body)
        return item

    def _disturb(self, kind: Kind) -> Item:
        """A broken item like the last valid event, or one of the last again."""
        if kind is Kind.DUPLICATE or self._last is None:
            return Item(self._recent[int(self._rng.random() * len(self._recent))], Kind.DUPLICATE)
        return next(self._faults).apply(self._last, self._visits.make_event_id())

    def _send(self, items: Iterable[Item], stop: threading.Event) -> bool:
        """Pack and send; False if told to stop during the wait."""
        for packed in pack(items, self.source, self._account.next_number, self._generator):
            if not self._sender.wait_for_place(stop):
                return False
            if self._recall is not None:
                self._recall.remember(packed)
            self._sender.send(packed.parcel)
        return True
