"""What the stream of this process says of itself: whether it is to end, whether it still moves."""

import threading
import time

STOPPING = threading.Event()
"""Set once the stream is to end: what is read is stored, then the reader returns."""

_last_beat = time.monotonic()


def request_stop() -> None:
    """Asks the stream of this process to end; safe in a signal handler."""
    STOPPING.set()


def beat() -> None:
    """Says that the stream moves; waiting for a service that is away counts as moving."""
    global _last_beat  # noqa: PLW0603 -- one stream a process, looked at from another thread
    _last_beat = time.monotonic()


def stalled_seconds() -> float:
    """How long ago the stream last said that it moves."""
    return time.monotonic() - _last_beat


def say(message: str) -> None:
    """Writes one line into the log of the pipeline; never anything from within an event."""
    print(message, flush=True)  # noqa: T201 -- Mage takes the log from standard output
