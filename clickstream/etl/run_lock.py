"""One step of a pipeline at a time, on one machine, through the death of any process."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from clickstream.errors import ClickstreamError

MARTS_LOCK: Final = "process_events"
"""Held by whoever stores events or builds marts, so that no two do it at the same time."""

_POLL_SECONDS: Final = 0.1


@contextmanager
def held_lock(directory: Path, name: str, *, wait_seconds: float = 600.0) -> Iterator[None]:
    """Holds the lock of this name, waiting for another holder to end; the kernel frees it of a dead one.

    Between its steps a run does not hold it, so a run that nobody goes on with stops no other. That a run has
    been overtaken meanwhile, its next step sees by its `Staging`.

    Raises:
        ClickstreamError: Another process still holds it after the waiting time.
    """
    directory.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(directory / f"{name}.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        _wait_for(descriptor, name, wait_seconds)
        yield
    finally:
        os.close(descriptor)


def _wait_for(descriptor: int, name: str, wait_seconds: float) -> None:
    deadline = time.monotonic() + wait_seconds
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise ClickstreamError(
                    f"Another run of {name} has been working for more than {wait_seconds:.0f} seconds.",
                    hint="See `clickstream status` and wait for its end.",
                ) from None
            time.sleep(_POLL_SECONDS)
        else:
            return
