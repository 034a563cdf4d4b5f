"""A sign of life of Mage's scheduler, and of whether it keeps the schedules; part of the repairs.

Mage's server answers for years without its scheduler. So the scheduler writes a file after its looks for due
runs, which health checks read: its process, the time, and what is late, in words.
"""

import json
import os
import threading
import time
from pathlib import Path
from typing import Any, Final

from mage_ai.orchestration.db.models.schedules import PipelineRun, PipelineSchedule
from mage_ai.orchestration.job_manager import get_job_manager
from mage_ai.orchestration.triggers.time_trigger import TimeTrigger
from mage_ai.server.scheduler_manager import SchedulerManager

BEAT_SECONDS: Final = 3.0
"""The file is written no more often than this."""

LATE_SECONDS: Final = 60.0
"""A due run may wait this long until it is started, and a started one for its process."""

SCHEDULER_LOOK_SECONDS: Final = 0.5
LOST_SCHEDULER_EXIT_CODE: Final = 70


class Lateness:
    """Remembers since when runs are due, or have no process."""

    def __init__(self) -> None:
        self._since: dict[str, float] = {}

    def look(self, now: float) -> str:
        """What has been late for too long, in words; empty if nothing is."""
        late_now = {*_due_schedules(), *_runs_without_process()}
        self._since = {what: self._since.get(what, now) for what in late_now}
        return "; ".join(
            f"{what} for {now - since:.0f} s"
            for what, since in sorted(self._since.items())
            if now - since > LATE_SECONDS
        )


def _due_schedules() -> list[str]:
    """Triggers whose run is due by Mage's own rules, and does not exist yet."""
    # `should_schedule` would load the pipeline, only to count executors of pipelines that run once.
    pipeline: Any = object()
    return [
        f"trigger {schedule.name} of {schedule.pipeline_uuid} has been due"
        for schedule in PipelineSchedule.active_schedules()
        if schedule.schedule_type == "time" and schedule.should_schedule(pipeline=pipeline)
    ]


def _runs_without_process() -> list[str]:
    """Runs that count as running, and for which no process works or is about to."""
    jobs = get_job_manager()
    running = PipelineRun.query.filter(PipelineRun.status == PipelineRun.PipelineRunStatus.RUNNING).all()
    return [
        f"run {run.id} of {run.pipeline_uuid} has had no process"
        for run in running
        if not jobs.has_pipeline_run_job(run.id)
        and not any(jobs.has_block_run_job(block.id) for block in run.block_runs)
    ]


def beat_after_each_look(beat_file: Path) -> None:
    """Have the scheduler write the file after its looks for due runs."""
    look_for_due_runs = TimeTrigger.run
    lateness = Lateness()
    beaten_at = 0.0

    def run(trigger: Any) -> None:
        nonlocal beaten_at
        look_for_due_runs(trigger)
        if time.monotonic() - beaten_at < BEAT_SECONDS:
            return
        beaten_at = time.monotonic()
        write_beat(beat_file, lateness.look(beaten_at))

    TimeTrigger.run = run


def write_beat(beat_file: Path, late: str) -> None:
    """Write the file, all of it or nothing."""
    unfinished = beat_file.with_suffix(".unfinished")
    beat = {"pid": os.getpid(), "beat_at": time.time(), "late": late}
    unfinished.write_text(json.dumps(beat), encoding="utf-8")
    unfinished.replace(beat_file)


def end_with_scheduler() -> None:
    """Have the server end when its scheduler has died, so that both are started again together."""
    start_scheduler = SchedulerManager.start_scheduler

    def start_and_watch(manager: Any, foreground: bool = False) -> None:
        start_scheduler(manager, foreground)
        threading.Thread(target=watch, args=[manager], name="scheduler-watch", daemon=True).start()

    def watch(manager: Any) -> None:
        # Its status is set to stopped where it is stopped on purpose.
        while manager.status == SchedulerManager.SchedulerStatus.RUNNING and manager.is_alive:
            time.sleep(SCHEDULER_LOOK_SECONDS)
        time.sleep(SCHEDULER_LOOK_SECONDS)
        if manager.status == SchedulerManager.SchedulerStatus.RUNNING and not manager.is_alive:
            print("Mage's scheduler has died: ending, to be started again.", flush=True)  # noqa: T201
            os._exit(LOST_SCHEDULER_EXIT_CODE)

    SchedulerManager.start_scheduler = start_and_watch
