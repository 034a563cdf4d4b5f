"""The steps of `rebuild_marts`: marts of some days are recomputed from `events`."""

from datetime import date
from typing import Any, Final

from clickstream.errors import BadInputError
from clickstream.etl import journal
from clickstream.etl.journal import announce, describe_rebuilt, to_manifest
from clickstream.etl.run_lock import MARTS_LOCK, held_lock
from clickstream.settings import get_settings
from clickstream.storage.client import Role, connect
from clickstream.storage.marts import days_between, rebuild_days

PIPELINE: Final = "rebuild_marts"


def plan_days(from_date: str, to_date: str) -> list[str]:
    """The days with events or marts from one date to another, both included; an empty text sets no bound.

    Raises:
        BadInputError: A text is not a date, or the dates are in the wrong order.
    """
    run = journal.new_run(PIPELINE)
    # A refusal is then recorded as a failed run, which people see.
    journal.resume_run(run)
    first, last = parse_days(from_date, to_date)
    client = connect(get_settings().clickhouse, Role.WRITER)
    days = days_between(client, first, last)
    announce(f"{len(days)} days have events or marts.")
    journal.forget_run(run)
    return [day.isoformat() for day in days]


def parse_days(from_date: str, to_date: str) -> tuple[date, date]:
    """The first and the last day; an empty text sets no bound.

    Raises:
        BadInputError: A text is not a date, or the dates are in the wrong order.
    """
    first = _parse(from_date, date.min)
    last = _parse(to_date, date.max)
    if first > last:
        raise BadInputError(f"{from_date} is after {to_date}.", hint="Give the earlier date first.")
    return first, last


def _parse(text: str, default: date) -> date:
    if not text:
        return default
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise BadInputError(f"{text!r} is not a date.", hint="Give dates such as 2025-01-31.") from None


def rebuild_marts(days: list[str]) -> dict[str, Any]:
    """Rebuilds every mart for some days; other days are left as they are."""
    settings = get_settings()
    run = journal.new_run(PIPELINE)
    client = connect(settings.clickhouse, Role.WRITER)
    with held_lock(client, settings.etl_locks, MARTS_LOCK):
        journal.close_dead_runs(client, run)
        journal.start_run(client, run)
        run.days = [date.fromisoformat(day) for day in days]
        rebuild_days(client, run.days)
        message = f"{describe_rebuilt(len(days))}."
        journal.finish_run(client, run, message)
    announce(message)
    return {**to_manifest(run), "message": message}
