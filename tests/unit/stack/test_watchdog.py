"""When the watchdog loses its patience."""

import pytest

from stack.watchdog import HealthRecord

HEALTHY = None
BROKEN = "does not answer"


@pytest.mark.parametrize(
    ("checks", "expected"),
    [
        pytest.param([(1, 1, HEALTHY)] + [(1, 5, BROKEN)] * 2, False, id="fails-less-often-than-allowed"),
        pytest.param([(1, 1, HEALTHY)] + [(1, 5, BROKEN)] * 3, True, id="fails-as-often-as-allowed"),
        pytest.param(
            [(1, 1, HEALTHY), (1, 2, BROKEN), (1, 3, BROKEN), (1, 4, HEALTHY), (1, 5, BROKEN)],
            False,
            id="recovers-in-between",
        ),
        pytest.param([(1, 59, BROKEN)] * 9, False, id="was-never-healthy-but-may-still-be-starting"),
        pytest.param([(1, 61, BROKEN)] * 3, True, id="was-never-healthy-and-its-time-is-up"),
        pytest.param(
            [(1, 90, HEALTHY), (1, 91, BROKEN), (1, 92, BROKEN), (2, 1, BROKEN)],
            False,
            id="was-restarted-meanwhile",
        ),
    ],
)
def test_a_service_is_restarted_when(checks: list[tuple[int, float, str | None]], expected: bool) -> None:
    record = HealthRecord(start_timeout_seconds=60, failures_allowed=3)

    verdicts = [record.must_restart(pid, age, problem) for pid, age, problem in checks]

    assert verdicts[-1] is expected
    assert not any(verdicts[:-1])
