"""How often a password may be guessed.

A right password is accepted at any time: programs of this machine share an address, and none may lock out
the others. What is limited is the rate of wrong ones: after the first few, each has to wait for its answer,
and only a few of each address wait at once.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Callable
from typing import Final

from clickstream.sign_in import FailedSignIns
from stack.gateway.errors import Code, StatementError

_DELAY_SECONDS: Final = 2.0
_MAX_WAITING: Final = 16
_TOO_MANY_REQUESTS: Final = 429


class FailedPasswords:
    """Slows down wrong passwords.

    Args:
        now: A clock that never goes back, in seconds.
        delay_seconds: How long the answer to a wrong password waits once there were too many.
    """

    def __init__(
        self, now: Callable[[], float] = time.monotonic, delay_seconds: float = _DELAY_SECONDS
    ) -> None:
        self._failed = FailedSignIns(now)
        self._delay_seconds = delay_seconds
        self._waiting: Counter[str] = Counter()

    def refuse_crowd(self, address: str) -> None:
        """Refuse to look at another password of an address while as many as may wait do so.

        Raises:
            StatementError: They do (code 516, HTTP 429).
        """
        if self._waiting[address] >= _MAX_WAITING:
            raise _too_many(max(1, round(self._delay_seconds)))

    async def add(self, address: str) -> None:
        """Note a wrong password.

        Raises:
            StatementError: There were too many, which is said after a pause (code 516, HTTP 429).
        """
        seconds = self._failed.begin(address)
        if not seconds:
            return
        self._waiting[address] += 1
        try:
            await asyncio.sleep(self._delay_seconds)
        finally:
            self._waiting[address] -= 1
            self._waiting += Counter()  # Drops the addresses at which nobody waits.
        raise _too_many(seconds)


def _too_many(seconds: int) -> StatementError:
    error = StatementError(
        Code.AUTHENTICATION_FAILED,
        f"Authentication failed: too many wrong passwords from this address; try again in {seconds} s",
    )
    error.status = _TOO_MANY_REQUESTS
    error.retry_after_seconds = seconds
    return error
