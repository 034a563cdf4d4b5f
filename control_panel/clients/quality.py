"""Refused events, expectations and warnings, as the panel asks for them."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final

import pyarrow as pa

from clickstream.reasons import ErrorCode
from clickstream.storage.quarantine import QUARANTINED_SCHEMA, QuarantineFilter
from control_panel.clients import mage, warehouse
from control_panel.clients.readings import shared

EVENTS_SHOWN: Final = 200
PIPELINE: Final = "replay_quarantine"
_EXPECTATION_DAYS: Final = 30


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which refused events to look at; empty for all.

    Attributes:
        first_date: First day of their receipt, UTC.
        last_date: Last day.
        code: Those that break this rule.
        field: Those with a problem in this field.
        source: Those that came this way.
        text: Those whose body holds this text.
        origin: Those of this file, whenever they were received, and their replays.
        include_replayed: Also those that were sent again.
    """

    first_date: date
    last_date: date
    code: str = ""
    field: str = ""
    source: str = ""
    text: str = ""
    origin: str = ""
    include_replayed: bool = False

    @property
    def is_narrow(self) -> bool:
        """Whether anything but the days of receipt was chosen."""
        return bool(self.code or self.field or self.source or self.text or self.origin)

    def parameters(self) -> dict[str, Any]:
        """The filter as parameters of the queries."""
        midnight = time(tzinfo=UTC)
        return QuarantineFilter(
            code=ErrorCode(self.code) if self.code else None,
            field=self.field,
            source=self.source,
            text=self.text,
            origin=self.origin,
            since=None if self.origin else datetime.combine(self.first_date, midnight),
            until=None if self.origin else datetime.combine(self.last_date + timedelta(days=1), midnight),
            include_replayed=self.include_replayed,
        ).parameters()


@shared(seconds=3)
def counts(wanted: Wanted) -> tuple[dict[str, Any], ...]:
    """What is wrong among the events of a filter: source, code, field, events."""
    return tuple(warehouse.rows("quarantine_counts", **wanted.parameters()))


@shared(seconds=3)
def events(wanted: Wanted) -> tuple[dict[str, Any], ...]:
    """The events of a filter that were received last."""
    return tuple(chosen(wanted, EVENTS_SHOWN).to_pylist())


@shared(seconds=3)
def event(origin: str, offset: int, item: int) -> tuple[dict[str, Any], ...]:
    """The refused event of a coordinate; empty if there is none."""
    return tuple(record(origin, offset, item).to_pylist())


def record(origin: str, offset: int, item: int) -> pa.Table:
    """The refused event of a coordinate as at most one row of the quarantine; not shared."""
    found = warehouse.query("quarantine_record", origin=origin, offset=offset, item=item)
    return found.cast(QUARANTINED_SCHEMA)


def chosen(wanted: Wanted, limit: int) -> pa.Table:
    """The events of a filter as rows of the quarantine; not shared."""
    found = warehouse.query("queries/list_quarantined", limit=limit, **wanted.parameters())
    return found.cast(QUARANTINED_SCHEMA)


@shared(seconds=10)
def expectations() -> tuple[dict[str, Any], ...]:
    """How each expectation did lately."""
    return tuple(warehouse.rows("expectations", days=_EXPECTATION_DAYS))


@shared(seconds=10)
def warnings(first_date: date, last_date: date) -> tuple[dict[str, Any], ...]:
    """Optional values that could not be used."""
    return tuple(warehouse.rows("warnings", first_date=first_date, last_date=last_date))


def forget() -> None:
    """Ask again which events are refused, because a replay has changed that."""
    counts.forget()
    events.forget()
    event.forget()


def replay(path: str) -> int:
    """Ask Mage to send the events of a fixed file again; gives the run's id."""
    forget()
    return mage.run_now(PIPELINE, {"code": "", "source": "", "fixed_file": path})
