"""The marts: aggregates of whole days of events, each rebuilt in one go and swapped in.

What takes the marts of all days together, such as the users of 30 days, is kept in summaries beside them.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date
from typing import Final

from clickhouse_connect.driver.client import Client

from clickstream.settings import get_settings
from clickstream.storage.sql import list_names, load_sql

MARTS: Final = tuple(list_names("marts"))
"""Names of all marts."""

SUMMARIES: Final = tuple(list_names("summaries"))
"""Names of the tables that are put together from the marts of all days."""

_GROUP_EVENTS: Final = 2_000_000
_GROUP_DAYS: Final = 100
"""Days are rebuilt together up to this many events or days: it bounds the memory, and spares small days the
fixed cost of a statement."""

Progress = Callable[[int, int], None]
"""Told how many days are done, and of how many."""


def rebuild_days(client: Client, days: Iterable[date], on_progress: Progress | None = None) -> int:
    """Rebuilds every mart for some days, then the summaries; a day without events ends up empty.

    Each day of each mart is swapped in at once, and so is a summary: a reader sees it as it was or as it is.
    Killed at any point, it leaves some days old and some new, and may be called again. One at a time: callers
    hold the lock of `process_events`, since a day that another one is building would be swapped in out of
    date.

    Args:
        client: A connection that may write.
        days: Days by `created_at`; in any order, also repeated.
        on_progress: Called after each group of days.

    Returns:
        The number of days.
    """
    wanted = sorted(set(days))
    done = 0
    for group in _group_days(client, wanted):
        for mart in MARTS:
            _rebuild_mart(client, mart, group)
        done += len(group)
        if on_progress:
            on_progress(done, len(wanted))
    if wanted:
        for summary in SUMMARIES:
            _rebuild_summary(client, summary)
    return len(wanted)


def days_between(client: Client, first: date, last: date) -> list[date]:
    """The days from one to another, both included, that have events or are in a mart."""
    parameters = {"first": _as_column_value(first), "last": _as_column_value(last)}
    rows = client.query(load_sql("queries/days_between"), parameters=parameters).result_rows
    return [day for (day,) in rows]


def _as_column_value(day: date) -> date:
    """The nearest day that ClickHouse's type Date can hold."""
    return min(max(day, date(1970, 1, 1)), date(2149, 6, 6))


def _group_days(client: Client, days: list[date]) -> Iterator[list[date]]:
    rows = client.query(load_sql("queries/count_days"), parameters={"days": days}).result_rows if days else []
    events = {day: int(count) for day, count in rows}
    group: list[date] = []
    group_events = 0
    for day in days:
        count = events.get(day, 0)
        if group and (group_events + count > _GROUP_EVENTS or len(group) == _GROUP_DAYS):
            yield group
            group, group_events = [], 0
        group.append(day)
        group_events += count
    if group:
        yield group


def _rebuild_mart(client: Client, mart: str, days: list[date]) -> None:
    """Builds some days of a mart beside it and swaps them in, whatever a killed run left there."""
    staging = _fill_staging(client, mart, load_sql(f"marts/{mart}"), days=days, **_LIMITS.get(mart, dict)())
    filled = _filled_days(client, staging)
    # An empty day is dropped: the engine refuses to swap in a partition that is not there. The statement
    # takes no parameters for names; these are the project's own.
    changes = (
        f"replace partition '{day.isoformat()}' from {staging}"
        if day in filled
        else f"drop partition '{day.isoformat()}'"
        for day in days
    )
    client.command(f"alter table {mart} {', '.join(changes)}")
    _truncate(client, staging)


def _rebuild_summary(client: Client, summary: str) -> None:
    """Builds a summary beside it and swaps it in."""
    staging = _fill_staging(client, summary, load_sql(f"summaries/{summary}"))
    change = f"replace partition tuple() from {staging}"
    client.command(
        f"alter table {summary} {change if _filled_days(client, staging) else 'drop partition tuple()'}"
    )
    _truncate(client, staging)


def _fill_staging(client: Client, table: str, select: str, **parameters: object) -> str:
    """Fills the table beside another with what a statement gives, whatever a killed run left in it.

    Returns:
        Its name.
    """
    staging = f"{table}_staging"
    _truncate(client, staging)
    client.command(
        f"insert into {staging} {select}",
        parameters=parameters,
        settings={"max_partitions_per_insert_block": 0},
    )
    return staging


def _own_field_limits() -> Mapping[str, object]:
    settings = get_settings().marts
    return {
        "max_fields": settings.own_fields,
        "max_values": settings.own_field_values,
        "max_distinct": settings.own_field_max_values,
        "always": [name.strip() for name in settings.own_fields_always.split(",") if name.strip()],
    }


_LIMITS: Final[Mapping[str, Callable[[], Mapping[str, object]]]] = {"own_field_days": _own_field_limits}
"""What else the statement of a mart takes, beside the days."""


def _truncate(client: Client, table: str) -> None:
    client.command(f"truncate table {table}")


def _filled_days(client: Client, table: str) -> set[date]:
    query = "select distinct date from {table:Identifier}"
    return {day for (day,) in client.query(query, parameters={"table": table}).result_rows}
