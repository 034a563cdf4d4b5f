"""Whether the stream does its work: it polls, it stores what it reads, and it commits what is stored."""

from dataclasses import dataclass
from typing import Final

from clickstream.etl.stream.lifecycle import stalled_seconds, wrong_seconds

READING: Final = "reading"
"""Noted while records wait in the topic and none is stored."""

COMMITTING: Final = "committing"
"""Noted while what is stored can't be committed."""

WAITING: Final = "waiting"
"""Noted while the stream waits for another service, to try again."""

STALLED_SECONDS: Final = 120.0
"""A stream that neither polls nor stores for this long hangs; so long may one batch take to be inserted."""

WAITING_SECONDS: Final = 10.0
"""Waits that are shorter are not worth a word."""


@dataclass(frozen=True)
class StreamProblem:
    """Why the stream does not do its work.

    Attributes:
        text: The reason in words.
        is_own: Whether the stream is at fault itself; False where it waits for another service.
    """

    text: str
    is_own: bool


def stream_problem() -> StreamProblem | None:
    """What keeps the stream of this process from its work; None if nothing does."""
    stalled = stalled_seconds()
    if stalled >= STALLED_SECONDS:
        return StreamProblem(f"it has neither polled nor stored anything for {stalled:.0f} s", is_own=True)
    waiting = wrong_seconds(WAITING)
    if waiting >= WAITING_SECONDS:
        return StreamProblem(
            f"it has been waiting for the broker or ClickHouse for {waiting:.0f} s", is_own=False
        )
    if waiting:
        return None
    for what, text in (
        (READING, "records wait in the topic, and none was stored for"),
        (COMMITTING, "what is stored could not be committed for"),
    ):
        seconds = wrong_seconds(what)
        if seconds >= STALLED_SECONDS:
            return StreamProblem(f"{text} {seconds:.0f} s", is_own=True)
    return None
