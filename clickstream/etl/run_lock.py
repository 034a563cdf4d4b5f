"""One run of a pipeline at a time, on one machine, through the death of any process."""

import fcntl
import os
import time
from pathlib import Path
from typing import Final

from clickstream.errors import ClickstreamError

_POLL_SECONDS: Final = 0.2
_held: dict[Path, int] = {}
"""File descriptors of the locks that this process holds; the kernel frees them when it dies."""


def ensure_lock(directory: Path, name: str, *, wait_seconds: float = 600.0) -> None:
    """Takes the lock of this name unless this process holds it already, waiting for another holder to end.

    Raises:
        ClickstreamError: Another process still holds it after the waiting time.
    """
    path = directory / f"{name}.lock"
    if path in _held:
        return
    directory.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    deadline = time.monotonic() + wait_seconds
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                os.close(descriptor)
                raise ClickstreamError(
                    f"Another run of {name} has been working for more than {wait_seconds:.0f} seconds.",
                    hint="See `clickstream status` and wait for its end.",
                ) from None
            time.sleep(_POLL_SECONDS)
        else:
            _held[path] = descriptor
            return


def release_lock(directory: Path, name: str) -> None:
    """Gives the lock back if this process holds it."""
    descriptor = _held.pop(directory / f"{name}.lock", None)
    if descriptor is not None:
        os.close(descriptor)
