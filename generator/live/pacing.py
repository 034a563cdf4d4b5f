"""How many events are due: a token bucket that fills at a rate which may change with the time of day."""

import math
from datetime import UTC, datetime
from typing import Final

from generator.live.options import Shape
from generator.rhythm import WEEKEND_HOURS, WORKDAY_HOURS

BATCH_EVENTS: Final = 100
"""Most events of one record or request."""

_CAPACITY_SECONDS: Final = 2.0
"""So much of what is due may be made up for; the rest of a longer pause is left out."""

_SHORTEST_PAUSE_SECONDS: Final = 0.02
_LONGEST_PAUSE_SECONDS: Final = 0.25

_CYCLE_SECONDS: Final = 60
_BURST_SECONDS: Final = 10
_BURST_FACTOR: Final = 3.0
_CALM_FACTOR: Final = (_CYCLE_SECONDS - _BURST_SECONDS * _BURST_FACTOR) / (_CYCLE_SECONDS - _BURST_SECONDS)


def factor_at(shape: Shape, moment: float) -> float:
    """The rate at a moment, against its mean.

    Args:
        shape: How it changes.
        moment: Seconds since 1970.
    """
    match shape:
        case Shape.STEADY:
            return 1.0
        case Shape.BURST:
            return _BURST_FACTOR if moment % _CYCLE_SECONDS < _BURST_SECONDS else _CALM_FACTOR
        case Shape.DAILY:
            time = datetime.fromtimestamp(moment, tz=UTC)
            hours = WEEKEND_HOURS if time.weekday() >= 5 else WORKDAY_HOURS
            return hours[time.hour] * 24 / sum(hours)


class Pacer:
    """Says how many events are due.

    Attributes:
        rate: Events a second, the mean of the shape.
    """

    def __init__(self, rate: float, shape: Shape, now: float) -> None:
        self.rate = rate
        self._shape = shape
        self._last = now
        self._tokens = 0.0

    def take(self, now: float, moment: float) -> int:
        """How many events have become due since they were last taken.

        Args:
            now: Seconds on a clock that never jumps.
            moment: Seconds since 1970, which decide on the shape.
        """
        rate = self.rate * factor_at(self._shape, moment)
        capacity = max(1.0, rate * _CAPACITY_SECONDS)
        self._tokens = min(capacity, self._tokens + rate * (now - self._last))
        self._last = now
        due = math.floor(self._tokens)
        self._tokens -= due
        return due

    @property
    def pause_seconds(self) -> float:
        """How long to wait until the next look: about until a batch is full, but never long."""
        return min(max(BATCH_EVENTS / self.rate, _SHORTEST_PAUSE_SECONDS), _LONGEST_PAUSE_SECONDS)
