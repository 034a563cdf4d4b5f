"""The stages of an event, and where it stops."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from clickstream.contract import EventType
from clickstream.trace import Fate, Receipt, TouchedDay, Trace, TraceState
from control_panel.journey import StageState, is_settled, original_of, stages

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)


def receipt(fate: Fate, **changes: Any) -> Receipt:
    is_stored = fate is Fate.STORED
    fields: dict[str, Any] = {
        "source": "http",
        "origin": "clickstream.events/0",
        "offset": 7,
        "item": 0,
        "received_at": AT,
        "loaded_at": AT,
        "fate": fate,
        "decided_at": None if fate is Fate.PENDING else AT,
        "event_id": 42 if fate in {Fate.STORED, Fate.DUPLICATE} else None,
        "created_at": AT if is_stored else None,
        "type": EventType.VIEW if is_stored else None,
        "errors": (),
        "replayed_at": None,
        "replay_of": "",
        "body": "",
    }
    return Receipt(**{**fields, **changes})


def trace(*receipts: Receipt, built_at: datetime | None = AT) -> Trace:
    days = (TouchedDay(date(2026, 3, 1), ("page_days",), built_at, "run"),)
    return Trace(42, TraceState.STORED, receipts, days, 0)


@pytest.mark.parametrize(
    ("fate", "titles", "last"),
    [
        (
            Fate.STORED,
            ["Received", "In raw_events", "Validated and stored", "In the numbers"],
            StageState.DONE,
        ),
        (Fate.PENDING, ["Received", "In raw_events", "Waiting to be processed"], StageState.WAITING),
        (Fate.DUPLICATE, ["Received", "In raw_events", "Not counted: duplicate"], StageState.STOPPED),
        (Fate.QUARANTINED, ["Received", "In raw_events", "Not counted: in quarantine"], StageState.STOPPED),
        (Fate.ERASED, ["Erased"], StageState.STOPPED),
        (Fate.UNACCOUNTED, ["Received", "In raw_events", "Unaccounted"], StageState.STOPPED),
    ],
    ids=str,
)
def test_the_stages_end_where_the_event_is(fate: Fate, titles: list[str], last: StageState) -> None:
    one = receipt(fate)
    found = stages(one, trace(one), AT)
    assert [stage.title for stage in found] == titles
    assert found[-1].state is last


def test_a_stored_event_waits_until_its_day_is_built() -> None:
    one = receipt(Fate.STORED)
    assert stages(one, trace(one, built_at=None), AT)[-1].state is StageState.WAITING


@pytest.mark.parametrize(
    ("fates", "settled"),
    [
        pytest.param([], False, id="nothing yet"),
        pytest.param([Fate.STORED, Fate.DUPLICATE], True, id="decided"),
        pytest.param([Fate.QUARANTINED, Fate.PENDING], False, id="a replay waits"),
    ],
)
def test_events_are_settled_once_nothing_waits(fates: list[Fate], settled: bool) -> None:
    assert is_settled(trace(*map(receipt, fates)), AT) is settled


def test_a_duplicate_knows_its_original() -> None:
    original, duplicate = receipt(Fate.STORED), receipt(Fate.DUPLICATE, offset=8)
    assert original_of(duplicate, (original, duplicate)) is original
    assert original_of(receipt(Fate.DUPLICATE, event_id=1), (original,)) is None
