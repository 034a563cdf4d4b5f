"""Start the Mage server: `python mage_project/serve.py --host 127.0.0.1 --port 6789`.

It is `mage start` with three repairs, each of which a test holds:

- Mage's scheduler may queue one run twice, and then two processes execute it at once (mage-ai issue 5619).
  Here a run that waits or is executed isn't queued again.
- When the server is killed, its scheduler lives on, and the restarted server brings a second one. Here every
  process ends with the one that forked it; the new server takes up the runs that were left behind.
- Great Expectations takes seconds to import. Here the scheduler does that once; the processes of the runs are
  its forks and have it at hand. The project's own code is still read afresh by every run.
"""

import argparse
import ctypes
import importlib
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from mage_ai.settings.repo import set_repo_path

PROJECT: Final = Path(__file__).resolve().parent
LIBRARIES_AT_HAND: Final = ("great_expectations", "pandas", "pyarrow", "clickhouse_connect", "msgspec")

# From Linux' <sys/prctl.h>: sets the signal that this process gets when its parent ends.
PR_SET_PDEATHSIG: Final = 1


def end_with_parent() -> None:
    """Have the kernel end this process when the one that forked it ends."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def queue_runs_once() -> None:
    """Replace Mage's queue of runs by one that takes a run once."""
    from mage_ai.orchestration.queue import process_queue  # noqa: PLC0415
    from mage_ai.orchestration.queue.process_queue import (  # noqa: PLC0415
        JobStatus,
        ProcessQueue,
        QueueStatus,
    )

    class OnceQueue(ProcessQueue):
        """A queue in which a job that waits is known until a worker has taken it."""

        def has_job(self, job_id: str, **logging: Any) -> bool:
            """Whether the job waits or is being executed; a job that was lost with its worker is neither."""
            if self.status != QueueStatus.ACTIVE or self.job_dict.get(job_id) != JobStatus.QUEUED:
                return bool(super().has_job(job_id, **logging))
            # The pool of workers ends when it finds nothing to do, also just before something comes.
            if not self.is_worker_pool_alive() and not self.queue.empty():
                self.start_worker_pool()
            return bool(self.is_worker_pool_alive())

        def enqueue(self, job_id: str, target: Callable[..., Any], *args: Any, **kwargs: Any) -> None:
            """Queue the job unless it is known."""
            if self.status != QueueStatus.ACTIVE or self.has_job(job_id):
                return
            # Marked before it is handed over: the worker's own mark must not be overwritten.
            self.job_dict[job_id] = JobStatus.QUEUED
            self.queue.put([job_id, target, args, kwargs])
            if not self.is_worker_pool_alive():
                self.start_worker_pool()

    process_queue.ProcessQueue = OnceQueue


def import_libraries_in_scheduler() -> None:
    """Have the scheduler's process import what the runs need, before it starts the first one."""
    from mage_ai.server import scheduler_manager  # noqa: PLC0415

    run_scheduler = scheduler_manager.run_scheduler

    def run_scheduler_with_libraries() -> None:
        for name in LIBRARIES_AT_HAND:
            importlib.import_module(name)
        run_scheduler()

    scheduler_manager.run_scheduler = run_scheduler_with_libraries


def main() -> None:
    """Start the server with the repairs in place."""
    parser = argparse.ArgumentParser(description="Start the Mage server of this project.")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
    parser.add_argument("--port", default="6789", help="port to listen on")
    arguments = parser.parse_args()
    if sys.platform == "linux":
        os.register_at_fork(after_in_child=end_with_parent)
    # Mage opens its database when its modules are imported, and finds it by the project: hence the imports
    # in functions.
    set_repo_path(str(PROJECT))
    queue_runs_once()
    import_libraries_in_scheduler()
    from mage_ai.cli.main import app  # noqa: PLC0415

    app(["start", str(PROJECT), "--host", arguments.host, "--port", arguments.port])


if __name__ == "__main__":
    main()
