"""What the watchdog knows of services: when it loses patience, what it counts, what it reports."""

import json
import logging
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from supervisor.states import ProcessStates

from clickstream.settings import Settings
from stack.health_report import HealthReport, HealthState, read_report, write_report
from stack.probes import Problem
from stack.service_watch import HealthRecord
from stack.services import service_named
from stack.supervision import ProcessInfo
from stack.watchdog import Watchdog, try_to_write

HEALTHY = None
BROKEN = Problem("does not answer")
SLOW = Problem("runs no statement", lasts_seconds=100)
NOT_ITS_FAULT = Problem("takes no events: the broker is away", is_own=False)
NAME = "clickhouse"


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
            id="was-restarted-in-between",
        ),
        pytest.param(
            [(1, 1, HEALTHY)] + [(1, 5, NOT_ITS_FAULT)] * 9, False, id="another-service-is-at-fault"
        ),
        pytest.param([(1, t, SLOW) for t in (0, 70, 90, 130, 160)], False, id="may-be-busy"),
        pytest.param([(1, t, SLOW) for t in (0, 70, 90, 130, 171)], True, id="was-busy-for-too-long"),
    ],
)
def test_a_service_is_restarted_when(checks: list[tuple[int, float, Problem | None]], expected: bool) -> None:
    record = HealthRecord(start_timeout_seconds=60, failures_allowed=3)

    verdicts = [record.must_restart(pid, age, age, problem) for pid, age, problem in checks]

    assert verdicts[-1] is expected
    assert not any(verdicts[:-1])


def process(state: int, pid: int, exit_code: int = 0) -> dict[str, ProcessInfo]:
    return {NAME: ProcessInfo(state, pid, int(time.time()), 0, "", exit_code)}


RUNNING = process(ProcessStates.RUNNING, 7)
KILLED = process(ProcessStates.EXITED, 0, exit_code=-1)


@pytest.fixture
def watchdog(settings: Settings) -> Watchdog:
    return Watchdog([service_named(NAME)], settings, before=None)


def test_a_service_is_starting_until_it_was_seen_healthy(watchdog: Watchdog) -> None:
    assert watchdog.look(RUNNING).services[NAME].state is HealthState.STARTING


def test_a_killed_process_is_counted_once_with_its_time_and_reason(watchdog: Watchdog) -> None:
    watchdog.look(RUNNING)
    dead = watchdog.look(KILLED).services[NAME]
    again = watchdog.look(process(ProcessStates.RUNNING, 8)).services[NAME]

    assert (dead.state, dead.last_failure_reason) == (HealthState.RESTARTING, "process 7 was killed")
    assert (again.restarts, again.last_failure_reason) == (1, "process 7 was killed")
    assert again.last_failure_at == dead.since
    assert watchdog.look(process(ProcessStates.RUNNING, 8)).services[NAME].restarts == 1


def test_a_restart_between_two_looks_is_seen_by_the_process_id(watchdog: Watchdog) -> None:
    watchdog.look(RUNNING)

    after = watchdog.look(process(ProcessStates.RUNNING, 8)).services[NAME]

    assert (after.restarts, after.last_failure_reason) == (1, "process 7 ended unexpectedly")


def test_a_failure_that_is_seen_late_comes_before_the_start_that_followed_it(watchdog: Watchdog) -> None:
    watchdog.look(RUNNING)
    started_at = int(time.time()) - 2
    again = {NAME: ProcessInfo(ProcessStates.RUNNING, 8, started_at, 0, "")}

    failed_at = watchdog.look(again).services[NAME].last_failure_at

    assert failed_at is not None
    assert failed_at.timestamp() == started_at


def test_a_service_that_was_stopped_on_purpose_has_not_failed(watchdog: Watchdog) -> None:
    watchdog.look(RUNNING)
    stopped = watchdog.look(process(ProcessStates.STOPPED, 0)).services[NAME]
    after = watchdog.look(process(ProcessStates.RUNNING, 8)).services[NAME]

    assert stopped.state is HealthState.STOPPED
    assert (after.restarts, after.last_failure_at) == (0, None)


def test_a_watchdog_that_was_restarted_goes_on_counting(watchdog: Watchdog, settings: Settings) -> None:
    watchdog.look(RUNNING)
    before = watchdog.look(process(ProcessStates.RUNNING, 8))

    after = Watchdog([service_named(NAME)], settings, before).look(process(ProcessStates.RUNNING, 9))

    assert after.services[NAME].restarts == 2


def test_services_that_ended_with_their_supervisor_say_so_once(settings: Settings) -> None:
    services = [service_named(NAME)]
    before = Watchdog(services, settings, None, supervisor_pid=100).look(RUNNING)
    watchdog = Watchdog(services, settings, before, supervisor_pid=200)

    revived = watchdog.look(process(ProcessStates.RUNNING, 8)).services[NAME]
    again = watchdog.look(process(ProcessStates.RUNNING, 9)).services[NAME]

    assert revived.last_failure_reason == "the supervisor was killed, and process 7 was ended with it"
    assert again.last_failure_reason == "process 8 ended unexpectedly"


def test_the_report_is_what_others_read(watchdog: Watchdog, tmp_path: Path) -> None:
    path = tmp_path / "health.json"
    report = watchdog.look(RUNNING)

    write_report(path, report)

    (name, service), *_ = json.loads(path.read_bytes())["services"].items()
    assert name == NAME
    assert {"state", "reason", "since", "restarts", "address"} < service.keys()
    assert {"last_failure_at", "last_failure_reason"} < service.keys()
    assert read_report(path) == report
    assert list(tmp_path.iterdir()) == [path]


def test_a_report_that_cannot_be_read_is_as_good_as_none(tmp_path: Path) -> None:
    (tmp_path / "health.json").write_text("{")

    assert read_report(tmp_path / "health.json") is None
    assert read_report(tmp_path / "absent.json") is None


def test_the_age_of_a_report_tells_whether_somebody_looks(watchdog: Watchdog) -> None:
    report: HealthReport = watchdog.look(RUNNING)

    assert 0 <= report.age_seconds < 60


def test_a_report_that_cannot_be_written_does_not_end_the_watchdog(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)

    try_to_write(tmp_path / "missing" / "health.json", HealthReport(datetime.now(UTC), {}))

    assert "health.json can't be written: No such file or directory." in caplog.text
