"""How numbers and times are shown."""

from datetime import UTC, datetime, timedelta

import pytest

from control_panel import text


@pytest.mark.parametrize(
    ("value", "shown"), [(0, "0"), (1234567, "1,234,567"), (20.14, "20.1"), (1234.5, "1,234")]
)
def test_numbers(value: float, shown: str) -> None:
    assert text.number(value) == shown


@pytest.mark.parametrize(
    ("size", "shown"),
    [(12, "12 bytes"), (1_500, "1.5 kB"), (2_000_000, "2.0 MB"), (1_234_000_000, "1.2 GB")],
)
def test_sizes(size: int, shown: str) -> None:
    assert text.size(size) == shown


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (0.25, "0.2 s"),
        (42, "42 s"),
        (60, "1 min"),
        (95, "1 min 35 s"),
        (7260, "2 h 1 min"),
        (180000, "2 d 2 h"),
    ],
)
def test_durations(seconds: float, shown: str) -> None:
    assert text.duration(seconds) == shown


def test_a_time_says_that_it_is_utc() -> None:
    assert text.moment(datetime(2026, 5, 4, 3, 2, 1, tzinfo=UTC)) == "2026-05-04 03:02:01 UTC"


def test_what_never_was_has_no_age() -> None:
    now = datetime(2026, 5, 4, tzinfo=UTC)

    assert text.age(None) == "never"
    assert text.age(now - timedelta(minutes=3), now) == "3 min ago"


@pytest.mark.parametrize(("value", "shown"), [(0, "0"), (0.15, "0.15"), (12.34, "12.3"), (4000, "4,000")])
def test_rates_of_slow_generators_keep_two_digits(value: float, shown: str) -> None:
    assert text.rate(value) == shown
