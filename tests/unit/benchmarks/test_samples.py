"""How rounds become figures, and when a target is reached."""

import pytest

from benchmarks.samples import (
    CHART_REQUEST,
    POST_HALF_LOAD,
    TOPIC_TO_RAW,
    Sample,
    Subject,
    median_times,
    percentile,
    percentiles,
    summarize,
)


@pytest.mark.parametrize(
    ("subject", "figure", "is_reached"),
    [
        pytest.param(TOPIC_TO_RAW, 60_000, True, id="a rate at its target"),
        pytest.param(TOPIC_TO_RAW, 59_999, False, id="a rate below its target"),
        pytest.param(POST_HALF_LOAD, 24.9, True, id="a time below its target"),
        pytest.param(POST_HALF_LOAD, 25, False, id="a time at its target"),
    ],
)
def test_a_target_is_reached_from_its_own_side(subject: Subject, figure: float, is_reached: bool) -> None:
    assert subject.is_reached(figure) is is_reached


def test_without_a_target_nothing_is_reached_or_missed() -> None:
    assert CHART_REQUEST.is_reached(1) is None


def test_half_the_rate_and_twice_the_time_are_both_twice_the_baselines_time() -> None:
    assert TOPIC_TO_RAW.times(50_000, 100_000) == 2
    assert POST_HALF_LOAD.times(20, 10) == 2


def test_the_ratio_is_the_median_of_the_rounds_not_the_ratio_of_the_medians() -> None:
    rounds = [Sample(TOPIC_TO_RAW, figure, baseline) for figure, baseline in ((10, 20), (20, 20), (40, 200))]
    assert median_times(rounds) == 2
    assert (summarize(rounds).figure, summarize(rounds).baseline) == (20, 20)


def test_without_a_baseline_there_is_no_ratio() -> None:
    rounds = [Sample(TOPIC_TO_RAW, 10)]
    assert median_times(rounds) is None
    assert summarize(rounds).baseline is None


def test_of_memory_the_most_is_told_and_of_all_else_the_median() -> None:
    rounds = [
        Sample(TOPIC_TO_RAW, 1, details={"peak MiB": peak, "inserts": inserts})
        for peak, inserts in ((100, 1), (300, 2), (200, 9))
    ]
    assert summarize(rounds).details == {"peak MiB": 300, "inserts": 2}


def test_what_is_told_of_the_worst_and_of_each_part_is_kept() -> None:
    sample = Sample(CHART_REQUEST, 90, 30, about="funnel", parts={"funnel": {"request ms": 90}})
    assert summarize([sample]) == sample


def test_a_percentile_is_one_of_the_values() -> None:
    values = list(range(100, 0, -1))
    assert percentiles(values, "ms") == {"p50 ms": 50, "p95 ms": 95, "p99 ms": 99}
    assert percentile([7], 99) == 7
