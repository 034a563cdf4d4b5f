"""How often signing in may fail, for every door that has passwords of its own."""

import math
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from threading import Lock
from typing import Final

FAILURES_ALLOWED: Final = 10
PERIOD_SECONDS: Final = 60.0
_ADDRESSES_KEPT: Final = 10_000


class FailedSignIns:
    """Failures of the last minute by address; several threads may use it.

    Args:
        now: A clock that never goes back, in seconds.
    """

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._lock = Lock()
        self._failures: OrderedDict[str, deque[float]] = OrderedDict()

    def begin(self, address: str) -> int:
        """Count an attempt as failed before it is decided, so that several at once can't get past the limit.

        Returns:
            0 if the attempt may go on; else for how many seconds the address has to wait, and nothing is
            counted.
        """
        with self._lock:
            failures = self._failures.setdefault(address, deque())
            self._failures.move_to_end(address)
            while len(self._failures) > _ADDRESSES_KEPT:
                self._failures.popitem(last=False)
            now = self._now()
            while failures and failures[0] <= now - PERIOD_SECONDS:
                failures.popleft()
            if len(failures) >= FAILURES_ALLOWED:
                return math.ceil(failures[0] + PERIOD_SECONDS - now)
            failures.append(now)
            return 0

    def take_back(self, address: str) -> None:
        """The attempt succeeded. Earlier failures still count: this user may guess at others' passwords."""
        with self._lock:
            if failures := self._failures.get(address):
                failures.pop()
