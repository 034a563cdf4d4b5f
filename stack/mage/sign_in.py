"""How often signing in may fail."""

import math
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from typing import Final

FAILURES_ALLOWED: Final = 10
PERIOD_SECONDS: Final = 60.0
_ADDRESSES_KEPT: Final = 10_000


class FailedSignIns:
    """Failures of the last minute by address.

    Args:
        now: A clock that never goes back, in seconds.
    """

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._failures: OrderedDict[str, deque[float]] = OrderedDict()

    def pause_seconds(self, address: str) -> int:
        """How long the address has to wait before it may try again; 0 if it need not."""
        failures = self._failures.get(address, deque())
        while failures and failures[0] <= self._now() - PERIOD_SECONDS:
            failures.popleft()
        if len(failures) < FAILURES_ALLOWED:
            return 0
        return math.ceil(failures[0] + PERIOD_SECONDS - self._now())

    def add(self, address: str) -> None:
        """Note that somebody at the address fails."""
        self._failures.setdefault(address, deque(maxlen=FAILURES_ALLOWED)).append(self._now())
        self._failures.move_to_end(address)
        while len(self._failures) > _ADDRESSES_KEPT:
            self._failures.popitem(last=False)

    def take_back(self, address: str) -> None:
        """What was noted last was no failure. Earlier ones count: who has an account may guess at others'."""
        if failures := self._failures.get(address):
            failures.pop()
