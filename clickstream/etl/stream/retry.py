"""Trying again for ever, with growing pauses, where people can see it."""

import traceback
from typing import Final

from clickhouse_connect.driver.exceptions import ClickHouseError, OperationalError
from kafka.errors import KafkaError

from clickstream.errors import ClickstreamError
from clickstream.etl.stream import metrics
from clickstream.etl.stream.health import WAITING
from clickstream.etl.stream.lifecycle import note, say

_FIRST_PAUSE_SECONDS: Final = 0.5
_SHOWN_CHARACTERS: Final = 300


class Backoff:
    """The pauses between tries: each twice as long as the one before, up to a limit."""

    def __init__(self, max_seconds: float) -> None:
        self._max_seconds = max_seconds
        self._next_seconds = _FIRST_PAUSE_SECONDS

    def failed(self, stage: str, error: BaseException) -> float:
        """Counts and tells a failure, and gives the seconds to wait."""
        pause = min(self._next_seconds, self._max_seconds)
        self._next_seconds = pause * 2
        metrics.FAILURES.labels(stage=stage).inc()
        metrics.PAUSE.set(pause)
        note(WAITING, is_wrong=True, detail=f"failed to {stage}: {describe(error)}")
        say(f"Failed to {stage}: {describe(error)} Trying again in {pause:g} s.")
        return pause

    def succeeded(self) -> None:
        """The next failure's pause is a short one again."""
        if self._next_seconds != _FIRST_PAUSE_SECONDS:
            say("It works again.")
        self._next_seconds = _FIRST_PAUSE_SECONDS
        metrics.PAUSE.set(0)
        note(WAITING, is_wrong=False)


def describe(error: BaseException) -> str:
    """An error in one line; one that might hold parts of an event by its place, not by its text."""
    if isinstance(error, OperationalError):
        return "ClickHouse does not answer."
    if isinstance(error, ClickstreamError | ClickHouseError | KafkaError | OSError):
        name = "" if isinstance(error, ClickstreamError | KafkaError) else f"{type(error).__name__}: "
        text = f"{name}{error}".partition("\n")[0][:_SHOWN_CHARACTERS]
        return f"{text} {getattr(error, 'hint', '')}".strip()
    place = traceback.extract_tb(error.__traceback__)[-1] if error.__traceback__ else None
    where = f" at {place.filename}:{place.lineno}" if place else ""
    return f"{type(error).__name__}{where}."
