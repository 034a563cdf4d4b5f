"""Mage's scheduler is watched, since the server would answer without it."""

import json
import os
import signal
from datetime import UTC, datetime
from typing import Any

import psutil

from clickstream.mage_api import MageClient, RunStatus
from stack.health import check_health
from stack.health_report import HealthState, ServiceHealth, read_report
from stack.lifecycle import Stack
from stack.processes import processes_of
from stack.services import service_named
from tests.waiting import wait_until


def beat(stack: Stack) -> dict[str, Any]:
    beat: dict[str, Any] = json.loads(stack.paths.scheduler_beat.read_text())
    return beat


def health(stack: Stack) -> ServiceHealth:
    report = read_report(stack.paths.health)
    assert report is not None
    return report.services["mage"]


def is_well(stack: Stack) -> bool:
    return check_health(service_named("mage"), stack.settings) is None


def test_the_scheduler_beats(stack: Stack) -> None:
    first = beat(stack)
    wait_until(lambda: beat(stack)["beat_at"] > first["beat_at"], "it beats again")

    assert beat(stack)["pid"] == first["pid"] != stack.supervisor.processes()["mage"].pid
    assert beat(stack)["late"] == ""


def kill_scheduler(stack: Stack) -> int:
    scheduler = int(beat(stack)["pid"])
    os.kill(scheduler, signal.SIGKILL)
    return scheduler


def kill_manager_of_jobs(stack: Stack) -> int:
    """The scheduler asks this process which runs have one; it is the scheduler's first child."""
    scheduler = psutil.Process(int(beat(stack)["pid"]))
    manager = min(scheduler.children(), key=psutil.Process.create_time)
    manager.kill()
    return scheduler.pid


def test_a_scheduler_that_was_killed_comes_back_and_starts_runs(stack: Stack, mage: MageClient) -> None:
    wait_until(lambda: is_well(stack), "Mage is well", 120)
    restarts = health(stack).restarts
    before = kill_scheduler(stack)

    wait_until(lambda: beat(stack)["pid"] != before, "there is another scheduler", 300)
    wait_until(lambda: is_well(stack), "Mage is well again", 120)
    wait_until(lambda: health(stack).state is HealthState.UP, "the report says so")

    assert health(stack).restarts == restarts + 1
    assert health(stack).last_failure_at is not None
    assert before not in [process.pid for process in processes_of(stack.paths.data)]
    run = mage.wait(mage.trigger("process_events"))
    assert run.ended


def test_runs_go_on_after_the_manager_of_jobs_was_killed(stack: Stack, mage: MageClient) -> None:
    wait_until(lambda: is_well(stack), "Mage is well", 120)
    kill_manager_of_jobs(stack)
    killed_at = datetime.now(UTC).replace(tzinfo=None)

    def has_run_since() -> bool:
        return any(
            run.status is RunStatus.COMPLETED and run.started_at is not None and run.started_at > killed_at
            for run in mage.runs("process_events", 5)
        )

    wait_until(has_run_since, "a run has started and ended since", 300)
    wait_until(lambda: is_well(stack), "Mage is well", 120)
