"""Long work. Each job runs in its own process.

A job outlives the page that began it, and the panel as well. Everything known of it is in its folder below
the data directory, so any page can follow it by its id: the request, the progress and the result.
"""

import os
import re
import secrets
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from enum import StrEnum, unique
from pathlib import Path
from typing import Any, Final

import msgspec
import psutil

from clickstream.errors import BadInputError, ClickstreamError
from clickstream.settings import get_settings

SERVICE_MARK: Final = "CLICKSTREAM_SERVICE_MARK"
"""By this variable the supervision tells which service a process belongs to."""

_ID: Final = re.compile(r"[0-9a-f]{16}")
_KEPT: Final = 20
"""Ended jobs of each kind that are kept; older ones make room."""

_STATE: Final = "state.json"
_REQUEST: Final = "request.json"
_PROGRESS_SECONDS: Final = 0.3
_END_SECONDS: Final = 3.0


@unique
class JobStatus(StrEnum):
    """The state of a job."""

    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Request(msgspec.Struct, frozen=True):
    """What was asked for.

    Attributes:
        kind: Which work; see `control_panel.work`.
        title: What people call it.
        arguments: What the work needs.
        asked_at: When it was asked for.
        asked_by: The account.
        is_counted: Whether it counts among the jobs that may run at the same time.
    """

    kind: str
    title: str
    arguments: dict[str, Any]
    asked_at: datetime
    asked_by: str
    is_counted: bool = True


class State(msgspec.Struct, frozen=True):
    """The progress of a job, as its process records it.

    Attributes:
        status: Whether it is running, or how it ended.
        pid: Its process.
        started: When that process started, as the system tells; a pid alone may be reused.
        done: How much is done.
        total: Of how much.
        message: What it did, or why it failed.
        ended_at: When it ended.
    """

    status: JobStatus
    pid: int = 0
    started: float = 0.0
    done: int = 0
    total: int = 0
    message: str = ""
    ended_at: datetime | None = None


class Job(msgspec.Struct, frozen=True):
    """A job with its folder."""

    id: str
    folder: Path
    request: Request
    state: State

    @property
    def is_running(self) -> bool:
        """Whether its process is at work."""
        return self.state.status is JobStatus.RUNNING


def jobs_path() -> Path:
    """Where the jobs are."""
    return get_settings().stack.data_path / "panel" / "jobs"


def start_job(
    kind: str, title: str, arguments: Mapping[str, Any], asked_by: str, *, is_counted: bool = True
) -> Job:
    """Begin a job.

    Args:
        kind: Which work.
        title: What people call it.
        arguments: What the work needs.
        asked_by: The account.
        is_counted: Whether it counts among the jobs that may run at the same time; what the panel does by
            itself takes no one's place.

    Raises:
        ClickstreamError: As many jobs as allowed are running.
    """
    running = [job for job in list_jobs() if job.is_running and job.request.is_counted]
    most = get_settings().panel.max_jobs
    if is_counted and len(running) >= most:
        raise ClickstreamError(
            f"{len(running)} long jobs are running, and at most {most} may run at the same time.",
            hint="Wait until one has finished, or cancel one.",
        )
    _make_room(kind)
    job_id = secrets.token_hex(8)
    folder = jobs_path() / job_id
    folder.mkdir(parents=True, mode=0o700)
    request = Request(kind, title, dict(arguments), datetime.now(UTC), asked_by, is_counted)
    (folder / _REQUEST).write_bytes(msgspec.json.encode(request))
    # Without the mark it is nobody's leftover when the panel is restarted; `make down` ends it all the same.
    environment = {name: value for name, value in os.environ.items() if name != SERVICE_MARK}
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "control_panel.work", str(folder)],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    started = psutil.Process(process.pid).create_time()
    if not (folder / _STATE).exists():
        write_state(folder, State(JobStatus.RUNNING, process.pid, started))
    _reap(process)
    return get_job(job_id)


def get_job(job_id: str) -> Job:
    """The job of an id.

    Raises:
        BadInputError: No job has this id.
    """
    folder = jobs_path() / job_id
    if not _ID.fullmatch(job_id) or not (folder / _REQUEST).exists():
        raise BadInputError(f"There is no job {job_id[:40]!r}.", hint="Newer jobs may have replaced it.")
    request = msgspec.json.decode((folder / _REQUEST).read_bytes(), type=Request)
    return Job(job_id, folder, request, _state(folder))


def list_jobs(kind: str | None = None) -> list[Job]:
    """All jobs, or those of a kind, the latest first."""
    folders = [folder for folder in _folders() if (folder / _REQUEST).exists()]
    jobs = [get_job(folder.name) for folder in folders]
    chosen = [job for job in jobs if kind is None or job.request.kind == kind]
    return sorted(chosen, key=lambda job: job.request.asked_at, reverse=True)


def cancel_job(job_id: str) -> None:
    """End a job that is running; what it has written goes away."""
    job = get_job(job_id)
    if not job.is_running:
        return
    process = _process(job.state)
    if process is not None:
        process.send_signal(signal.SIGTERM)
        _, alive = psutil.wait_procs([process], timeout=_END_SECONDS)
        for one in alive:
            one.kill()
    _remove_results(job.folder)
    ended = msgspec.structs.replace(
        job.state,
        status=JobStatus.CANCELLED,
        message="Cancelled. What it had written was deleted.",
        ended_at=datetime.now(UTC),
    )
    write_state(job.folder, ended)


def write_state(folder: Path, state: State) -> None:
    """Record the progress of a job, in one step."""
    draft = folder / f"{_STATE}.{os.getpid()}"
    draft.write_bytes(msgspec.json.encode(state))
    draft.replace(folder / _STATE)


class Progress:
    """The progress of this process' job; written a few times per second."""

    def __init__(self, folder: Path, total: int) -> None:
        self._folder = folder
        self._written_at = 0.0
        self._lasting = State(JobStatus.RUNNING, os.getpid(), psutil.Process().create_time(), 0, total)
        write_state(folder, self._lasting)

    def advance(self, done: int) -> None:
        """So much more is done."""
        self._lasting = msgspec.structs.replace(self._lasting, done=self._lasting.done + done)
        now = time.monotonic()
        if now - self._written_at >= _PROGRESS_SECONDS:
            self._written_at = now
            write_state(self._folder, self._lasting)

    def end(self, status: JobStatus, message: str) -> None:
        """The job has ended."""
        done = self._lasting.total if status is JobStatus.DONE else self._lasting.done
        ended = msgspec.structs.replace(
            self._lasting, status=status, done=done, message=message, ended_at=datetime.now(UTC)
        )
        write_state(self._folder, ended)


def read_request(folder: Path) -> Request:
    """What the job of a folder is about."""
    return msgspec.json.decode((folder / _REQUEST).read_bytes(), type=Request)


def _state(folder: Path) -> State:
    """What the process has written down; one that died without a word has failed."""
    try:
        state = msgspec.json.decode((folder / _STATE).read_bytes(), type=State)
    except FileNotFoundError:
        return State(JobStatus.RUNNING)
    if state.status is JobStatus.RUNNING and _process(state) is None:
        # It may have ended between the two looks.
        state = msgspec.json.decode((folder / _STATE).read_bytes(), type=State)
        if state.status is JobStatus.RUNNING:
            return msgspec.structs.replace(
                state,
                status=JobStatus.FAILED,
                message="The process of this job was killed. Start the job again.",
            )
    return state


def _process(state: State) -> psutil.Process | None:
    """The process of a job while it lives."""
    try:
        process = psutil.Process(state.pid)
        is_same = abs(process.create_time() - state.started) < 1.0
        return process if is_same and process.status() != psutil.STATUS_ZOMBIE else None
    except (psutil.Error, ValueError):
        return None


def _reap(process: "subprocess.Popen[bytes]") -> None:
    """Keep a handle until the process has ended, so that it stays a zombie at most until the next job."""
    _children[:] = [child for child in _children if child.poll() is None]
    _children.append(process)


_children: list["subprocess.Popen[bytes]"] = []


def _folders() -> list[Path]:
    path = jobs_path()
    return [folder for folder in path.iterdir() if _ID.fullmatch(folder.name)] if path.is_dir() else []


def _make_room(kind: str) -> None:
    ended = [job for job in list_jobs(kind) if not job.is_running]
    for job in ended[_KEPT - 1 :]:
        shutil.rmtree(job.folder, ignore_errors=True)


def _remove_results(folder: Path) -> None:
    for path in folder.iterdir():
        if path.name not in {_REQUEST, _STATE, "log"}:
            path.unlink(missing_ok=True)
