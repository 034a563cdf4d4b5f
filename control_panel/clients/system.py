"""How the data stand: arrivals, ledger, runs and active users."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Final

import pyarrow as pa
from clickhouse_connect.driver.exceptions import ClickHouseError

from clickstream.cli.state import ledger_rows
from clickstream.storage.runs import RunRecord, last_runs
from clickstream.storage.views import read_view
from control_panel.clients.readings import shared
from control_panel.clients.warehouse import explained, query, warehouse

ARRIVAL_SECONDS: Final = 300
"""How far back the chart of arrivals goes."""

BUCKET_SECONDS: Final = 5
RATE_SECONDS: Final = 30
"""Over how many seconds the rate of now is taken."""

SOURCES: Final = ("csv", "http", "tracker", "broker", "replay")
_RUNS: Final = 20


@dataclass(frozen=True, slots=True)
class Completeness:
    """The one row of the view `completeness`; the columns are described there."""

    complete_through: datetime
    last_received_at: datetime
    received: int
    pending: int
    unaccounted: int


@dataclass(frozen=True, slots=True)
class Ledger:
    """The ledger, by source and day of receipt.

    Attributes:
        columns: source, date, the counts, and at the end `unaccounted`, what they leave over.
        rows: In the order of the days.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]

    @property
    def counts(self) -> tuple[str, ...]:
        """The columns that hold numbers."""
        return self.columns[2:]

    def by_source(self, day: date | None = None) -> list[dict[str, Any]]:
        """The counts by source, of one day or of all."""
        totals: dict[str, dict[str, Any]] = {}
        for row in self.rows:
            if day is not None and row[1] != str(day):
                continue
            total = totals.setdefault(row[0], {"source": row[0], **dict.fromkeys(self.counts, 0)})
            for name, value in zip(self.counts, row[2:], strict=True):
                total[name] += value
        return sorted(totals.values(), key=lambda total: -int(total["received"]))

    def unbalanced(self) -> list[dict[str, Any]]:
        """The rows whose counts do not add up."""
        return [dict(zip(self.columns, row, strict=True)) for row in self.rows if row[-1]]


@dataclass(frozen=True, slots=True)
class Arrivals:
    """What arrived in the last minutes.

    Attributes:
        table: Events a second by time and source, every 5 seconds, gaps filled with 0.
        per_second: Events a second of the last half minute.
        last_at: When the last of them arrived, to 5 seconds; None if nothing did.
    """

    table: pa.Table
    per_second: float
    last_at: datetime | None


@shared(seconds=4)
def arrivals() -> Arrivals:
    """What arrived in the last minutes, counted in `raw_events`."""
    now = datetime.now(UTC)
    found = {row["at"]: row for row in query("arrivals_by_second", seconds=ARRIVAL_SECONDS).to_pylist()}
    return fill_arrivals({_utc(at): row for at, row in found.items()}, now)


def fill_arrivals(found: dict[datetime, dict[str, Any]], now: datetime) -> Arrivals:
    """Rates from counts by bucket, with a row for each bucket that is over."""
    last = int(now.timestamp()) // BUCKET_SECONDS * BUCKET_SECONDS - BUCKET_SECONDS
    starts = range(last - ARRIVAL_SECONDS + BUCKET_SECONDS, last + 1, BUCKET_SECONDS)
    moments = [datetime.fromtimestamp(start, UTC) for start in starts]
    columns = {
        source: [found.get(moment, {}).get(source, 0) / BUCKET_SECONDS for moment in moments]
        for source in SOURCES
    }
    buckets = RATE_SECONDS // BUCKET_SECONDS
    per_second = sum(sum(rates[-buckets:]) for rates in columns.values()) / buckets
    filled = [at for at, row in found.items() if any(row.get(source) for source in SOURCES)]
    return Arrivals(pa.table({"at": moments, **columns}), per_second, max(filled, default=None))


@shared(seconds=8, rest=150)
def completeness() -> Completeness | bool:
    """Whether the numbers can be trusted; False before anything was received."""
    try:
        found = read_view(warehouse(), "completeness").to_pylist()
    except ClickHouseError as error:
        raise explained(error) from error
    if not found:
        return False
    row = found[0]
    return Completeness(
        complete_through=_utc(row["complete_through"]),
        last_received_at=_utc(row["last_received_at"]),
        received=row["received"],
        pending=row["pending"],
        unaccounted=row["unaccounted"],
    )


@shared(seconds=8, rest=150)
def ledger() -> Ledger:
    """What became of what was received."""
    try:
        columns, rows = ledger_rows(warehouse())
    except ClickHouseError as error:
        raise explained(error) from error
    return Ledger(tuple(columns), tuple(tuple(row) for row in rows))


@shared(seconds=4)
def runs() -> tuple[RunRecord, ...]:
    """The last runs of the pipelines, the latest first."""
    try:
        return tuple(last_runs(warehouse(), _RUNS))
    except ClickHouseError as error:
        raise explained(error) from error


@shared(seconds=30)
def active_users() -> pa.Table:
    """Active users of the last days, the oldest first."""
    return query("latest_active_users").sort_by("date")


def _utc(at: datetime) -> datetime:
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
