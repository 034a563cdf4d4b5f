"""How fast events are acknowledged."""

import threading
import time
from collections import deque
from typing import Final

_RATE_SECONDS: Final = 10


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
