"""One step of a pipeline at a time, on one machine, through the death of any process.

The kernel frees the lock of a holder that dies, but what the holder has sent to the database goes on there,
also after the holder lost patience with it. So the statements of a holder carry the name of the lock, and
whoever takes the lock after a holder that did not end well ends them first, so nothing is written later.
"""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from clickhouse_connect.driver.client import Client

from clickstream.errors import ClickstreamError
from clickstream.storage.client import end_statements, owned_statements

MARTS_LOCK: Final = "process_events"
"""Held by whoever stores events or builds marts, so that no two do it at the same time."""

_POLL_SECONDS: Final = 0.1
_QUIET_SECONDS: Final = 1.0
"""For this long no statement of the earlier holder must be seen: one that was received may not run yet."""

_ENDING_SECONDS: Final = 600.0
_HELD: Final = b"held"
"""Stands in the lock's file from the beginning to the good end of its holder's work."""


@contextmanager
def held_lock(client: Client, directory: Path, name: str, *, wait_seconds: float = 600.0) -> Iterator[None]:
    """Holds the lock of this name, waiting for another holder to end; the kernel frees it of a dead one.

    What a holder that died or failed left running in the database has ended before the block begins. Between
    its steps a run does not hold the lock, so a run that nobody continues does not stop another. The next
    step of a run that was overtaken in between notices it by its `Staging`.

    Args:
        client: The connection over which the holder writes; its statements carry the lock's name.
        directory: Where lock files lie.
        name: The lock.
        wait_seconds: How long to wait for another holder.

    Raises:
        ClickstreamError: Another process still holds it after the waiting time, or what an earlier one left
            running does not end.
    """
    directory.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(directory / f"{name}.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        _wait_for(descriptor, name, wait_seconds)
        if os.pread(descriptor, len(_HELD), 0) == _HELD:
            _end_statements(client, name)
        os.pwrite(descriptor, _HELD, 0)
        with owned_statements(client, name):
            yield
        os.ftruncate(descriptor, 0)
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


def _end_statements(client: Client, name: str) -> None:
    """Ends what an earlier holder left running, and waits until nothing of it is seen for a while."""
    deadline = time.monotonic() + _ENDING_SECONDS
    quiet_since = time.monotonic()
    while time.monotonic() - quiet_since < _QUIET_SECONDS:
        if end_statements(client, name):
            quiet_since = time.monotonic()
            if quiet_since > deadline:
                raise ClickstreamError(
                    f"A statement of an earlier run of {name} does not end in ClickHouse.",
                    hint="No other run may write before it has ended; restarting ClickHouse ends it.",
                )
        time.sleep(_POLL_SECONDS)
