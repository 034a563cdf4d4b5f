"""The health check of a container reads what the service's keeper has found."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from stack.health_report import HealthReport, HealthState, ServiceHealth, write_report
from stack.healthy import STALE_SECONDS, problem_of
from stack.watchdog import WRITE_SECONDS


def report(data: Path, state: HealthState, reason: str = "", *, seconds_ago: float = 0) -> None:
    checked_at = datetime.now(UTC) - timedelta(seconds=seconds_ago)
    path = data / "run" / "health" / "api.json"
    path.parent.mkdir(parents=True)
    write_report(path, HealthReport(checked_at, {"api": ServiceHealth(state, reason, checked_at)}))


def test_a_service_that_is_up_is_healthy(tmp_path: Path) -> None:
    report(tmp_path, HealthState.UP)

    assert problem_of("api", tmp_path) is None


@pytest.mark.parametrize("state", [state for state in HealthState if state is not HealthState.UP])
def test_a_service_in_another_state_is_not_and_says_why(tmp_path: Path, state: HealthState) -> None:
    report(tmp_path, state, "does not answer")

    assert problem_of("api", tmp_path) == f"is {state}: does not answer"


def test_a_service_that_nobody_checks_any_more_is_not_healthy(tmp_path: Path) -> None:
    report(tmp_path, HealthState.UP, seconds_ago=STALE_SECONDS + 1)

    assert problem_of("api", tmp_path) == f"was last checked {STALE_SECONDS + 1:.0f} s ago"


def test_a_service_that_was_never_checked_is_not_healthy(tmp_path: Path) -> None:
    assert problem_of("api", tmp_path) == "has not been checked yet"


def test_a_report_is_renewed_long_before_it_counts_as_stale() -> None:
    assert WRITE_SECONDS < STALE_SECONDS / 3
