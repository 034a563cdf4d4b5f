"""When people come: the hours of a day, the days of a week, the growth of the shop."""

from collections.abc import Iterator
from datetime import UTC, datetime
from random import Random
from typing import Final, NamedTuple

from generator.plan import DAY_MS, MINUTE_MS, MINUTES_PER_DAY, Plan
from generator.randomness import make_random

WORKDAY_HOURS: Final = (
    0.55, 0.34, 0.22, 0.17, 0.18, 0.28, 0.50, 0.78, 0.95, 1.02, 1.08, 1.15,
    1.28, 1.18, 1.08, 1.10, 1.22, 1.45, 1.75, 2.05, 2.15, 1.90, 1.45, 0.95,
)  # fmt: skip
WEEKEND_HOURS: Final = (
    0.80, 0.55, 0.36, 0.24, 0.18, 0.20, 0.30, 0.48, 0.78, 1.12, 1.38, 1.50,
    1.52, 1.46, 1.42, 1.42, 1.48, 1.58, 1.70, 1.82, 1.80, 1.62, 1.35, 1.05,
)  # fmt: skip
"""Traffic of each hour (UTC): a break at noon and an evening peak; at weekends later and flatter."""

_WEEKDAYS: Final = (1.0, 0.97, 0.98, 1.02, 0.93, 1.14, 1.24)
"""Traffic of Monday to Sunday."""

_NOISE: Final = 0.06
"""How far a day may lie off its usual traffic, either way."""

_FIRST_KNOWN: Final = 0.55
"""Share of the regular visitors who know the shop on the first day; it grows evenly to all of them."""


class Minute(NamedTuple):
    """One minute of the data.

    Attributes:
        start_ms: Its first moment, in milliseconds since 1970.
        events_until_then: How many valid events have to lie in the data up to its end.
        known: Share of the regular visitors who know the shop by now.
        is_last_of_day: Whether midnight follows.
    """

    start_ms: int
    events_until_then: int
    known: float
    is_last_of_day: bool


def plan_minutes(plan: Plan) -> Iterator[Minute]:
    """Spread the valid events of a plan over its minutes, in order."""
    rng = make_random("rhythm", plan.seed)
    days = [_day_weights(plan, day, rng) for day in range(plan.days)]
    missing = sum(days[-1][minute // 60] for minute in range(plan.last_minutes, MINUTES_PER_DAY))
    total = sum(map(sum, days)) * 60 - missing
    start_ms, events = plan.start_ms, plan.valid_events
    spent = 0.0
    for day, hours in enumerate(days):
        known = _known_share(day, plan.days)
        is_last_day = day == plan.days - 1
        minutes = plan.last_minutes if is_last_day else MINUTES_PER_DAY
        for minute in range(minutes):
            spent += hours[minute // 60]
            is_last = is_last_day and minute == minutes - 1
            yield Minute(
                start_ms=start_ms + day * DAY_MS + minute * MINUTE_MS,
                events_until_then=events if is_last else int(events * spent / total),
                known=known,
                is_last_of_day=minute == MINUTES_PER_DAY - 1,
            )


def _day_weights(plan: Plan, day: int, rng: Random) -> list[float]:
    weekday = datetime.fromtimestamp((plan.start_ms + day * DAY_MS) / 1_000, tz=UTC).weekday()
    # More people who know the shop make more visits, though not in proportion.
    growth = _known_share(day, plan.days) ** 0.5
    level = _WEEKDAYS[weekday] * growth * (1 + _NOISE * (2 * rng.random() - 1))
    return [level * hour for hour in (WEEKEND_HOURS if weekday >= 5 else WORKDAY_HOURS)]


def _known_share(day: int, days: int) -> float:
    return _FIRST_KNOWN + (1 - _FIRST_KNOWN) * (day + 1) / days
