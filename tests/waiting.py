"""Waiting for what must come true, but not for ever."""

import time
from collections.abc import Callable
from typing import Final

PATIENCE_SECONDS: Final = 120.0
"""A machine that has much to do takes long to do little."""


def wait_until(
    condition: Callable[[], bool], what: str = "what must come true", seconds: float = PATIENCE_SECONDS
) -> None:
    """Asks again and again until a condition holds; fails, and says what for, once it took too long."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not in time: {what}"
        time.sleep(0.05)
