"""How often a password may be guessed.

A right password is accepted at any time: programs of this machine share an address, and none may lock out
the others. What is limited is the rate of wrong ones: after the first few, each has to wait for its answer,
and only so many of an address wait at once.
"""

import asyncio
import math
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from typing import Final

from stack.gateway.errors import Code, StatementError

FAILURES_ALLOWED: Final = 10
"""Wrong passwords of an address within a minute that are answered at once."""

_PERIOD_SECONDS: Final = 60.0
_DELAY_SECONDS: Final = 2.0
_MAX_WAITING: Final = 16
_ADDRESSES_KEPT: Final = 10_000
_TOO_MANY_REQUESTS: Final = 429


class FailedPasswords:
    """Wrong passwords of the last minute by address.

    Args:
        now: A clock that never goes back, in seconds.
        delay_seconds: How long the answer to a wrong password waits once there were too many.
    """

    def __init__(
        self, now: Callable[[], float] = time.monotonic, delay_seconds: float = _DELAY_SECONDS
    ) -> None:
        self._now = now
        self._delay_seconds = delay_seconds
        self._failures: OrderedDict[str, deque[float]] = OrderedDict()
        self._waiting: dict[str, int] = {}

    def refuse_crowd(self, address: str) -> None:
        """Refuse to look at another password of an address while as many as may wait do so.

        Raises:
            StatementError: They do (code 516, HTTP 429).
        """
        if self._waiting.get(address, 0) >= _MAX_WAITING:
            raise self._too_many(address)

    async def add(self, address: str) -> None:
        """Note a wrong password.

        Raises:
            StatementError: There were too many, which is said after a pause (code 516, HTTP 429).
        """
        failures = self._failures.setdefault(address, deque(maxlen=FAILURES_ALLOWED + 1))
        self._failures.move_to_end(address)
        while len(self._failures) > _ADDRESSES_KEPT:
            self._failures.popitem(last=False)
        while failures and failures[0] <= self._now() - _PERIOD_SECONDS:
            failures.popleft()
        failures.append(self._now())
        if len(failures) <= FAILURES_ALLOWED:
            return
        self._waiting[address] = self._waiting.get(address, 0) + 1
        try:
            await asyncio.sleep(self._delay_seconds)
        finally:
            self._waiting[address] -= 1
            if not self._waiting[address]:
                del self._waiting[address]
        raise self._too_many(address)

    def _too_many(self, address: str) -> StatementError:
        failures = self._failures.get(address) or deque([self._now()])
        seconds = max(1, math.ceil(failures[0] + _PERIOD_SECONDS - self._now()))
        error = StatementError(
            Code.AUTHENTICATION_FAILED,
            f"Authentication failed: too many wrong passwords from this address; try again in {seconds} s",
        )
        error.status = _TOO_MANY_REQUESTS
        error.retry_after_seconds = seconds
        return error
