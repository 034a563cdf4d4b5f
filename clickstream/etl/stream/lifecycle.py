"""What the stream of this process says of itself: whether it is to end, whether it still moves."""

import threading
import time

STOPPING = threading.Event()
"""Set once the stream is to end: what is read is stored, then the reader returns."""

_last_beat = time.monotonic()

_since: dict[str, float] = {}
"""Since when things have been wrong, by what is wrong."""

_details: dict[str, str] = {}
"""What was said last about each thing that is wrong."""


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


def note(what: str, *, is_wrong: bool, detail: str = "") -> None:
    """Notes whether something is wrong right now, such as "committing"; since when is remembered."""
    if is_wrong:
        _details[what] = detail
        _since.setdefault(what, time.monotonic())
    else:
        _since.pop(what, None)


def wrong_seconds(what: str) -> float:
    """For how long something has been wrong without a break; 0 if it is not."""
    since = _since.get(what)
    return 0.0 if since is None else time.monotonic() - since


def detail_of(what: str) -> str:
    """What was said last about something that is wrong."""
    return _details.get(what, "")


def say(message: str) -> None:
    """Writes one line into the log of the pipeline; never anything from within an event."""
    print(message, flush=True)  # noqa: T201 -- Mage takes the log from standard output
