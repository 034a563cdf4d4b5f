"""The record of a run: what it is doing, what it did, why it failed."""

import time
import uuid
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any, Final

import msgspec
from clickhouse_connect.driver.client import Client

from clickstream.errors import ClickstreamError
from clickstream.etl.run_marks import drop_mark, hold_mark, is_worked_on, remove_old_marks
from clickstream.storage.runs import RunRecord, RunStatus, last_runs, record_run


class RunCounts(msgspec.Struct):
    """What a run did; rows_in = stored + duplicate + quarantined + erased."""

    rows_in: int = 0
    stored: int = 0
    duplicate: int = 0
    quarantined: int = 0
    quarantined_by_code: dict[str, int] = msgspec.field(default_factory=dict)
    warned: int = 0
    warned_by_code: dict[str, int] = msgspec.field(default_factory=dict)
    erased: int = 0

    def add_codes(self, codes: Iterable[str], warnings: Iterable[str]) -> None:
        """Counts codes of errors and warnings on top of those counted before."""
        self.quarantined_by_code = dict(Counter(self.quarantined_by_code) + Counter(codes))
        self.warned_by_code = dict(Counter(self.warned_by_code) + Counter(warnings))


class Run(msgspec.Struct):
    """A run as it goes through the blocks of its pipeline."""

    run_id: str
    pipeline: str
    started_at: datetime
    counts: RunCounts = msgspec.field(default_factory=RunCounts)
    days: list[date] = msgspec.field(default_factory=list)
    was_resumed: bool = False
    step_seconds: dict[str, float] = msgspec.field(default_factory=dict)

    @contextmanager
    def timed(self, step: str) -> Iterator[None]:
        """Adds the time that the block takes to what is known of a step."""
        started = time.monotonic()
        try:
            yield
        finally:
            self.step_seconds[step] = self.step_seconds.get(step, 0.0) + time.monotonic() - started


_open_runs: dict[str, Run] = {}
"""Runs of this process that are neither finished nor failed, by pipeline."""


def new_run(pipeline: str) -> Run:
    """A run that starts now; nothing is recorded yet."""
    return Run(run_id=uuid.uuid4().hex, pipeline=pipeline, started_at=datetime.now(UTC))


_AFTER_DEATH: Final[Mapping[str, str]] = {
    "process_events": "A later run does what it left",
    "load_csv": "Load the file again: no line counts twice",
    "replay_quarantine": "Start the replay again: nothing is sent twice",
    "rebuild_marts": "Start it again",
    "erase_user": "The same command finishes it",
}
"""What happens, or is to be done, after the death of a run, by pipeline."""


def close_dead_runs(client: Client, successor: Run) -> None:
    """Records as failed the runs, of whatever pipeline, whose process has died.

    One that is gone on with later, as Mage does after a restart, is recorded again by whatever does so.
    """
    now = datetime.now(UTC)
    remove_old_marks()
    for record in last_runs(client, limit=100, status=RunStatus.RUNNING):
        if record.run_id == successor.run_id or is_worked_on(record.run_id):
            continue
        message = died(record.pipeline, now)
        record_run(client, replace(record, status=RunStatus.FAILED, finished_at=now, message=message))


def died(pipeline: str, noticed_at: datetime) -> str:
    """What is said of a run that was ended from outside."""
    then = _AFTER_DEATH.get(pipeline, "Start it again")
    return f"Its process died before {noticed_at:%Y-%m-%d %H:%M:%S} UTC. {then}."


def start_run(client: Client, run: Run) -> None:
    """Records that a run is under way."""
    resume_run(run)
    record_run(client, _record(run, RunStatus.RUNNING, ""))


def resume_run(run: Run) -> None:
    """Notes that this process continues a run: it is alive, and a failure is recorded for it."""
    run.was_resumed = hold_mark(run.run_id) or run.was_resumed
    _open_runs[run.pipeline] = run


def forget_run(run: Run) -> None:
    """Notes that nothing is left of a run that was never recorded."""
    _open_runs.pop(run.pipeline, None)
    drop_mark(run.run_id)


def finish_run(client: Client, run: Run, message: str) -> None:
    """Records that a run has done its work."""
    resumed = " It was resumed after its process had died." if run.was_resumed else ""
    record_run(client, _record(run, RunStatus.SUCCEEDED, f"{message}{resumed}"))
    forget_run(run)


def fail_open_runs(client: Client, message: str) -> list[Run]:
    """Records that what this process was doing has failed; returns the runs that are closed now."""
    failed = list(_open_runs.values())
    for run in failed:
        record_run(client, _record(run, RunStatus.FAILED, message))
        drop_mark(run.run_id)
    _open_runs.clear()
    return failed


def fail_new_run(client: Client, pipeline: str, message: str) -> Run:
    """Records a run that failed before anything of it was recorded."""
    run = new_run(pipeline)
    record_run(client, _record(run, RunStatus.FAILED, message))
    return run


def describe_error(error: object) -> str:
    """The cause of a failure in one line: what happened and what to do, or an unexpected error's kind."""
    if isinstance(error, ClickstreamError):
        return f"{error} {error.hint}".strip()
    if isinstance(error, KeyError):
        return f"The variable {error} is missing; the pipeline's page in Mage shows those that it takes."
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text}" if isinstance(error, BaseException) else text


def _record(run: Run, status: RunStatus, message: str) -> RunRecord:
    is_open = status is RunStatus.RUNNING
    now = datetime.now(UTC)
    return RunRecord(
        run_id=run.run_id,
        pipeline=run.pipeline,
        status=status,
        started_at=run.started_at,
        finished_at=None if is_open else now,
        rows_in=run.counts.rows_in,
        stored=run.counts.stored,
        duplicate=run.counts.duplicate,
        quarantined=run.counts.quarantined,
        quarantined_by_code=run.counts.quarantined_by_code,
        warned=run.counts.warned,
        warned_by_code=run.counts.warned_by_code,
        erased=run.counts.erased,
        days_rebuilt=tuple(run.days),
        seconds=0.0 if is_open else (now - run.started_at).total_seconds(),
        step_seconds=run.step_seconds,
        message=message,
    )


def describe_codes(counts: Mapping[str, int]) -> str:
    """Error codes with their counts, the most frequent first: `invalid_ip 12, missing_field 3`."""
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return ", ".join(f"{code} {count:,}" for code, count in ordered)


def describe_rebuilt(days: int) -> str:
    """How many days were rebuilt: `1 day rebuilt`, `7 days rebuilt`."""
    return f"{days:,} {'day' if days == 1 else 'days'} rebuilt"


def to_manifest(value: msgspec.Struct) -> dict[str, Any]:
    """A structure as Mage hands it from block to block: JSON types only."""
    manifest: dict[str, Any] = msgspec.to_builtins(value)
    return manifest


def announce(message: str) -> None:
    """Says something in the log of the block that is running: Mage keeps what a block prints."""
    print(f"{time.strftime('%H:%M:%S')} {message}", flush=True)  # noqa: T201
