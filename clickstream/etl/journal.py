"""The record of a run: what it is doing, what it did, why it failed."""

import time
import uuid
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import msgspec
from clickhouse_connect.driver.client import Client

from clickstream.storage.runs import RunRecord, RunStatus, last_runs, record_run


class RunCounts(msgspec.Struct):
    """What a run did; rows_in = stored + duplicate + quarantined + erased."""

    rows_in: int = 0
    stored: int = 0
    duplicate: int = 0
    quarantined: int = 0
    quarantined_by_code: dict[str, int] = msgspec.field(default_factory=dict)
    erased: int = 0

    def add_codes(self, codes: Iterable[str]) -> None:
        """Counts error codes on top of those counted before."""
        self.quarantined_by_code = dict(Counter(self.quarantined_by_code) + Counter(codes))


class Run(msgspec.Struct):
    """A run as it goes through the blocks of its pipeline."""

    run_id: str
    pipeline: str
    started_at: datetime
    counts: RunCounts = msgspec.field(default_factory=RunCounts)
    days: list[date] = msgspec.field(default_factory=list)
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


def close_dead_runs(client: Client, pipeline: str) -> None:
    """Records as failed the runs of a pipeline that were ended from outside.

    Only the holder of the pipeline's lock may call this: every run that looks open is then dead.
    """
    for record in last_runs(client, limit=100, pipeline=pipeline):
        if record.status is RunStatus.RUNNING:
            message = "It was ended from outside; a later run did its work."
            dead = replace(record, status=RunStatus.FAILED, finished_at=datetime.now(UTC), message=message)
            record_run(client, dead)


def start_run(client: Client, run: Run) -> None:
    """Records that a run is under way."""
    record_run(client, _record(run, RunStatus.RUNNING, ""))
    _open_runs[run.pipeline] = run


def resume_run(run: Run) -> None:
    """Notes that this process goes on with a run, so that a failure is recorded for it."""
    _open_runs[run.pipeline] = run


def finish_run(client: Client, run: Run, message: str) -> None:
    """Records that a run has done its work."""
    record_run(client, _record(run, RunStatus.SUCCEEDED, message))
    _open_runs.pop(run.pipeline, None)


def fail_open_runs(client: Client, message: str) -> list[Run]:
    """Records that what this process was doing has failed; returns the runs that are closed now."""
    failed = list(_open_runs.values())
    for run in failed:
        record_run(client, _record(run, RunStatus.FAILED, message))
    _open_runs.clear()
    return failed


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
        erased=run.counts.erased,
        days_rebuilt=tuple(run.days),
        seconds=0.0 if is_open else (now - run.started_at).total_seconds(),
        step_seconds=run.step_seconds,
        message=message,
    )


def describe_codes(quarantined_by_code: Mapping[str, int]) -> str:
    """Error codes with their counts, the most frequent first: `invalid_ip 12, missing_field 3`."""
    ordered = sorted(quarantined_by_code.items(), key=lambda item: (-item[1], item[0]))
    return ", ".join(f"{code} {count:,}" for code, count in ordered)


def to_manifest(value: msgspec.Struct) -> dict[str, Any]:
    """A structure as Mage hands it from block to block: JSON types only."""
    manifest: dict[str, Any] = msgspec.to_builtins(value)
    return manifest


def announce(message: str) -> None:
    """Says something in the log of the block that is running: Mage keeps what a block prints."""
    print(f"{time.strftime('%H:%M:%S')} {message}", flush=True)  # noqa: T201
