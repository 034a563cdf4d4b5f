"""Repairs of Mage's server, which whatever starts it applies first with `repair_mage`.

- Mage's scheduler may queue one run twice, and then two processes execute it at once (mage-ai issue 5619).
  Repaired, a run that waits or is executed isn't queued again.
- The scheduler kills the process of a run as soon as a block has failed, maybe before the callback has
  recorded why. Repaired, it lets the process end by itself for a while.
- When the server is killed, its scheduler lives on, and the restarted server brings a second one. Repaired,
  every process ends with the one that forked it; the new server takes up the runs that were left behind.
- Great Expectations takes seconds to import. Repaired, the scheduler does that once; the processes of runs
  are its forks and find it imported. The project's own code is still read afresh by every run.
- The scheduler makes the tables of Mage's database while the server, which needs them, goes on; at the first
  start on a busy machine the server loses that race and dies. Repaired, the server makes them itself first.
- At every start the server waits five seconds before it makes the owner's account, so that the tables are
  there by then. Repaired, it does not wait, since they are there.
- At every start the server writes a file for tunnels to clusters of AWS into the project, whether there are
  any or not. Repaired, it leaves the project as it is.
- The server does not notice that its scheduler has died, or has stopped to look for due runs. Repaired, the
  scheduler gives a sign of life, and the server ends with it (`heartbeat.py`).
"""

import ctypes
import importlib
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from mage_ai.orchestration.db.database_manager import database_manager
from mage_ai.orchestration.queue.process_queue import JobStatus, ProcessQueue, QueueStatus
from mage_ai.server import scheduler_manager, server

from mage_project.heartbeat import beat_after_each_look, end_with_scheduler

LIBRARIES_AT_HAND: Final = ("great_expectations", "pandas", "pyarrow", "clickhouse_connect", "msgspec")

FAILED_RUN_GRACE_SECONDS: Final = 20.0

# From Linux' <sys/prctl.h>: sets the signal that this process gets when its parent ends.
PR_SET_PDEATHSIG: Final = 1


def repair_mage(beat_file: Path) -> None:
    """Apply the repairs; to be called before the server starts.

    Args:
        beat_file: Where the scheduler leaves its sign of life.
    """
    if sys.platform == "linux":
        os.register_at_fork(after_in_child=end_with_parent)
    queue_runs_once()
    let_failed_runs_end()
    import_libraries_in_scheduler()
    make_tables_before_scheduler()
    make_owner_at_once()
    write_no_tunnel_file()
    beat_after_each_look(beat_file)
    end_with_scheduler()


def end_with_parent() -> None:
    """Have the kernel end this process when the one that forked it ends."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def queue_runs_once() -> None:
    """Replace the two methods of Mage's queue that let a run in twice."""
    knows_started_job = ProcessQueue.has_job

    def has_job(queue: Any, job_id: str, **logging: Any) -> bool:
        """Whether the job waits or is being executed; a job that was lost with its worker is neither."""
        if queue.status != QueueStatus.ACTIVE or queue.job_dict.get(job_id) != JobStatus.QUEUED:
            return bool(knows_started_job(queue, job_id, **logging))
        # The pool of workers ends when it finds nothing to do, also just before something comes.
        if not queue.is_worker_pool_alive() and not queue.queue.empty():
            queue.start_worker_pool()
        return bool(queue.is_worker_pool_alive())

    def enqueue(queue: Any, job_id: str, target: Callable[..., Any], *args: Any, **kwargs: Any) -> None:
        """Queue the job unless it is known."""
        if queue.status != QueueStatus.ACTIVE or queue.has_job(job_id):
            return
        # Marked before it is handed over: the worker's own mark must not be overwritten.
        queue.job_dict[job_id] = JobStatus.QUEUED
        queue.queue.put([job_id, target, args, kwargs])
        if not queue.is_worker_pool_alive():
            queue.start_worker_pool()

    ProcessQueue.has_job, ProcessQueue.enqueue = has_job, enqueue


def let_failed_runs_end() -> None:
    """Have the scheduler wait before it kills a process; the server, which cancels runs, kills at once."""
    kill_job_at_once = ProcessQueue.kill_job

    def kill_job(queue: Any, job_id: str) -> None:
        """Kill the job's process unless it ends by itself."""
        deadline = time.monotonic() + FAILED_RUN_GRACE_SECONDS
        while queue.status == QueueStatus.ACTIVE and queue.has_job(job_id) and time.monotonic() < deadline:
            time.sleep(0.1)
        kill_job_at_once(queue, job_id)

    ProcessQueue.kill_job = kill_job


def import_libraries_in_scheduler() -> None:
    """Have the scheduler's process import what the runs need, before it starts the first one."""
    run_scheduler = scheduler_manager.run_scheduler

    def run_scheduler_with_libraries() -> None:
        for name in LIBRARIES_AT_HAND:
            importlib.import_module(name)
        run_scheduler()

    scheduler_manager.run_scheduler = run_scheduler_with_libraries


def make_tables_before_scheduler() -> None:
    """Have the server bring its database up to date before it starts the scheduler, and then goes on."""
    start_scheduler = scheduler_manager.SchedulerManager.start_scheduler

    def migrate_and_start(manager: Any, foreground: bool = False) -> None:
        database_manager.run_migrations()
        start_scheduler(manager, foreground)

    scheduler_manager.SchedulerManager.start_scheduler = migrate_and_start


def make_owner_at_once() -> None:
    """Have the server make its owner without the wait for tables that are there already.

    Raises:
        AttributeError: Mage was changed so that it does not wait; the repair can go.
    """
    server.sleep  # noqa: B018 -- says so if there is nothing to replace
    server.sleep = lambda _seconds: None


def write_no_tunnel_file() -> None:
    """Name a file that is always there as the one for tunnels, so that the server does not make it."""
    server.file_path_aws_emr = lambda: os.devnull
