"""What the warehouse says: sizes, runs, ledger, freshness, quarantine; read as the reading user."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from clickhouse_connect.driver.client import Client
from prometheus_client.metrics_core import Metric

from clickstream.settings import ClickHouseSettings
from clickstream.storage.client import Role, connect
from clickstream.storage.runs import RunStatus
from clickstream.storage.sql import load_sql
from monitoring.exporter import metrics

_ANSWER_SECONDS: Final = 30
_FATES: Final = ("received", "stored", "duplicate", "quarantined", "pending", "erased")
_OUTCOMES: Final = ("stored", "duplicate", "quarantined")

Row = Mapping[str, Any]
Rows = Callable[[str], Sequence[Row]]
"""Gives the rows of a file of `warehouse/metrics`."""


class Warehouse:
    """A connection that is opened again after a failure; for one thread."""

    def __init__(self, settings: ClickHouseSettings, look: Callable[[Rows], Sequence[Metric]]) -> None:
        self._settings = settings
        self._look = look
        self._client: Client | None = None

    def __call__(self) -> Sequence[Metric]:
        """Looks once.

        Raises:
            ClickstreamError: ClickHouse is away.
            ClickHouseError: It refuses a statement.
        """
        try:
            return self._look(self._rows)
        except Exception:
            self._close()
            raise

    def _rows(self, name: str) -> Sequence[Row]:
        if self._client is None:
            self._client = connect(self._settings, Role.READER, answer_timeout_seconds=_ANSWER_SECONDS)
        return list(self._client.query(load_sql(f"metrics/{name}")).named_results())

    def _close(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            client.close()


def look_at_activity(rows: Rows) -> Sequence[Metric]:
    """Sizes, statements and runs: cheap, whatever the tables hold."""
    tables, runs = rows("tables"), rows("runs")
    return [
        metrics.TABLE_ROWS.family(((row["table"],), row["rows"]) for row in tables),
        metrics.TABLE_BYTES.family(((row["table"],), row["bytes"]) for row in tables),
        metrics.TABLE_PARTS.family(((row["table"],), row["parts"]) for row in tables),
        metrics.RUNNING_QUERIES.single(rows("running_queries")[0]["queries"]),
        *_runs(runs),
    ]


def look_at_events(rows: Rows) -> Sequence[Metric]:
    """Ledger, freshness and quarantine: counted from the tables, so it takes longer the more they hold."""
    found = [
        metrics.LEDGER.family(
            ((row["source"], fate), row[fate]) for row in rows("ledger") for fate in _FATES
        ),
        metrics.QUARANTINED.family(
            ((row["source"], row["code"]), row["events"]) for row in rows("quarantine")
        ),
    ]
    found.append(
        metrics.WARNINGS.family(
            ((row["source"], row["field"], row["code"]), row["events"]) for row in rows("warnings")
        )
    )
    for row in rows("freshness"):
        found += [
            metrics.COMPLETE_THROUGH.single(row["complete_through"]),
            metrics.LAST_RECEIVED.single(row["last_received"]),
            metrics.PENDING.single(row["pending"]),
            metrics.UNACCOUNTED.single(row["unaccounted"]),
        ]
    return found


def _runs(runs: Sequence[Row]) -> Sequence[Metric]:
    succeeded = [row for row in runs if row["status"] == RunStatus.SUCCEEDED]
    by_status = [((row["pipeline"], row["status"]), row) for row in runs]
    ended = [(labels, row) for labels, row in by_status if row["status"] != RunStatus.RUNNING]
    steps: dict[tuple[str, ...], float] = {}
    for row in runs:
        for step, seconds in row["step_seconds"].items():
            key = (row["pipeline"], step)
            steps[key] = steps.get(key, 0.0) + seconds
    return [
        metrics.ETL_RUNS.family((labels, row["runs"]) for labels, row in ended),
        metrics.ETL_RUN_SECONDS.family((labels, row["seconds"]) for labels, row in ended),
        metrics.ETL_LAST.family((labels, row["last_at"]) for labels, row in by_status),
        metrics.ETL_STEP_SECONDS.family(steps.items()),
        metrics.ETL_ROWS.family(
            ((row["pipeline"], outcome), row[outcome]) for row in succeeded for outcome in _OUTCOMES
        ),
    ]
