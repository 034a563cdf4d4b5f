from datetime import UTC, datetime

import pytest

from generator.live.options import Shape
from generator.live.pacing import Pacer, factor_at

A_MONDAY = datetime(2026, 3, 2, tzinfo=UTC).timestamp()
DAY = 86_400


def take_for(pacer: Pacer, seconds: float, pause: float, start: float = 0.0) -> int:
    """Events that are due over some time, asked for at regular pauses."""
    looks = round(seconds / pause)
    return sum(pacer.take(start + look * pause, A_MONDAY + look * pause) for look in range(1, looks + 1))


@pytest.mark.parametrize("rate", [0.1, 1, 7.3, 20, 999, 5_000])
@pytest.mark.parametrize("pause", [0.02, 0.25, 0.9], ids=lambda pause: f"every {pause} s")
def test_the_rate_is_met_to_the_event(rate: float, pause: float) -> None:
    taken = take_for(Pacer(rate, Shape.STEADY, 0.0), 90, pause)

    assert abs(taken - rate * 90) <= 1


def test_a_short_stall_is_made_up_for_and_a_long_one_is_not() -> None:
    short, long = Pacer(100, Shape.STEADY, 0.0), Pacer(100, Shape.STEADY, 0.0)

    assert short.take(1.5, A_MONDAY) == 150
    assert long.take(60.0, A_MONDAY) == 200


def test_a_changed_rate_holds_from_then_on() -> None:
    pacer = Pacer(10, Shape.STEADY, 0.0)
    before = take_for(pacer, 10, 0.5)
    pacer.rate = 100
    after = take_for(pacer, 10, 0.5, start=10.0)

    assert (before, after) == (100, 1_000)


@pytest.mark.parametrize("shape", Shape)
def test_the_mean_of_a_shape_over_a_day_is_the_rate(shape: Shape) -> None:
    factors = [factor_at(shape, A_MONDAY + second) for second in range(0, DAY, 5)]

    assert sum(factors) / len(factors) == pytest.approx(1.0)


def test_bursts_are_thrice_the_rate_and_evenings_busier_than_nights() -> None:
    assert max(factor_at(Shape.BURST, second) for second in range(60)) == 3
    assert factor_at(Shape.DAILY, A_MONDAY + 20 * 3_600) > 5 * factor_at(Shape.DAILY, A_MONDAY + 3 * 3_600)


@pytest.mark.parametrize("rate", [0.1, 20, 400, 5_000])
def test_the_pause_is_short_enough_for_a_steady_stream(rate: float) -> None:
    assert 0.02 <= Pacer(rate, Shape.STEADY, 0.0).pause_seconds <= 0.25
