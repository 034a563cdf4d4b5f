"""What the pipelines did: the tables `etl_runs` and `expectation_results`."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from datetime import date, datetime
from enum import StrEnum, unique
from typing import Final

from clickhouse_connect.driver.client import Client

from clickstream.storage.sql import load_sql


@unique
class RunStatus(StrEnum):
    """How a run stands."""

    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class RunRecord:
    """One run of a pipeline: the columns of `etl_runs`, described there."""

    run_id: str
    pipeline: str
    status: RunStatus
    started_at: datetime
    finished_at: datetime | None = None
    rows_in: int = 0
    stored: int = 0
    duplicate: int = 0
    quarantined: int = 0
    quarantined_by_code: Mapping[str, int] = field(default_factory=dict)
    warned: int = 0
    warned_by_code: Mapping[str, int] = field(default_factory=dict)
    erased: int = 0
    days_rebuilt: tuple[date, ...] = ()
    seconds: float = 0.0
    step_seconds: Mapping[str, float] = field(default_factory=dict)
    message: str = ""


@dataclass(frozen=True, slots=True)
class ExpectationRecord:
    """What one expectation said in one run: the columns of `expectation_results`, described there."""

    run_id: str
    checked_at: datetime
    scope: str
    expectation: str
    field: str
    code: str
    severity: str
    success: bool
    evaluated: int
    unexpected: int
    observed: str


_RUN_COLUMNS: Final = [column.name for column in fields(RunRecord)]
_EXPECTATION_COLUMNS: Final = [column.name for column in fields(ExpectationRecord)]


def record_run(client: Client, run: RunRecord) -> None:
    """Notes how a run stands; what was noted of it before is replaced."""
    row = [getattr(run, name) for name in _RUN_COLUMNS]
    row[_RUN_COLUMNS.index("status")] = run.status.value
    for name in ("quarantined_by_code", "warned_by_code", "step_seconds"):
        row[_RUN_COLUMNS.index(name)] = dict(getattr(run, name))
    row[_RUN_COLUMNS.index("days_rebuilt")] = list(run.days_rebuilt)
    client.insert("etl_runs", [row], column_names=_RUN_COLUMNS)


def record_expectations(client: Client, results: Iterable[ExpectationRecord]) -> None:
    """Keeps what the expectations said."""
    rows = [[getattr(result, name) for name in _EXPECTATION_COLUMNS] for result in results]
    if rows:
        client.insert("expectation_results", rows, column_names=_EXPECTATION_COLUMNS)


def last_runs(
    client: Client, limit: int, pipeline: str | None = None, status: RunStatus | None = None
) -> list[RunRecord]:
    """The runs that started last, the latest first; of one pipeline and status, or of all."""
    parameters = {"pipeline": pipeline or "", "status": status.value if status else "", "limit": limit}
    rows = client.query(load_sql("queries/last_runs"), parameters=parameters, tz_mode="aware").named_results()
    return [
        RunRecord(**{**row, "status": RunStatus(row["status"]), "days_rebuilt": tuple(row["days_rebuilt"])})
        for row in rows
    ]
