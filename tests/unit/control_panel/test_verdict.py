"""Whether everything is well, and what is told if it is not."""

from datetime import UTC, datetime, timedelta

import pytest

from clickstream.errors import ServiceUnavailableError
from clickstream.storage.runs import RunRecord, RunStatus
from control_panel.clients.exporter import Component, Components
from control_panel.clients.readings import Reading
from control_panel.clients.system import Completeness
from control_panel.verdict import concerns, is_known

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)
WELL = Reading(Components((Component("kafka", "up"), Component("mage", "up")), NOW))
NO_RUNS: Reading[tuple[RunRecord, ...]] = Reading(())


def state(
    *, pending: int = 0, waiting_minutes: float = 0, unaccounted: int = 0
) -> Reading[Completeness | bool]:
    complete_through = NOW - timedelta(minutes=waiting_minutes)
    return Reading(Completeness(complete_through, NOW, 100, pending, unaccounted))


def run(status: RunStatus, minutes_ago: int) -> RunRecord:
    at = NOW - timedelta(minutes=minutes_ago)
    return RunRecord(f"{minutes_ago}", "process_events", status, at, at, message="disk full")


def test_nothing_is_told_when_everything_is_well() -> None:
    runs = Reading((run(RunStatus.SUCCEEDED, 1), run(RunStatus.FAILED, 2)))

    assert concerns(WELL, state(pending=10, waiting_minutes=1), runs, NOW) == []


def test_an_empty_system_is_well() -> None:
    assert concerns(WELL, Reading(False), NO_RUNS, NOW) == []


def test_a_service_that_is_not_up_is_told_with_its_reason() -> None:
    failing = Reading(
        Components((Component("kafka", "failing", "no answer for 12 s"), Component("api", "stopped")), NOW)
    )

    found = concerns(failing, state(), NO_RUNS, NOW)

    assert [one.what for one in found] == ["kafka is failing: no answer for 12 s.", "api is stopped."]
    assert "make up" in found[1].action


@pytest.mark.parametrize(
    ("components", "said"),
    [
        (Components(()), "they have not been checked"),
        (
            Components((Component("kafka", "up"),), NOW - timedelta(minutes=3)),
            "checked 3 min ago, and not since",
        ),
    ],
    ids=["never", "long ago"],
)
def test_nothing_is_called_well_that_nobody_has_checked(components: Components, said: str) -> None:
    assert said in concerns(Reading(components), state(), NO_RUNS, NOW)[0].what


def test_a_ledger_that_does_not_balance_is_told_with_the_difference() -> None:
    assert "-3 events are unaccounted" in concerns(WELL, state(unaccounted=-3), NO_RUNS, NOW)[0].what


def test_events_that_wait_too_long_are_told() -> None:
    found = concerns(WELL, state(pending=7, waiting_minutes=6), NO_RUNS, NOW)

    assert [one.what for one in found] == ["7 events have been waiting for 6 min."]


def test_a_failed_last_run_is_told() -> None:
    found = concerns(WELL, state(), Reading((run(RunStatus.RUNNING, 0), run(RunStatus.FAILED, 3))), NOW)

    assert len(found) == 1
    assert "disk full" in found[0].what


def test_an_outage_of_clickhouse_is_told_once() -> None:
    away = ServiceUnavailableError("ClickHouse does not answer.", hint="Start it.")

    found = concerns(WELL, Reading(problem=away), Reading(problem=away), NOW)

    assert [(one.what, one.action) for one in found] == [("ClickHouse does not answer.", "Start it.")]


def test_a_stopped_clickhouse_is_not_also_told_as_one_that_does_not_answer() -> None:
    stopped = Reading(Components((Component("clickhouse", "stopped"),), NOW))
    problem = ServiceUnavailableError("ClickHouse does not answer.")
    away: Reading[Completeness | bool] = Reading(problem=problem)

    found = concerns(stopped, away, NO_RUNS, NOW)

    assert [one.what for one in found] == ["clickhouse is stopped."]


def test_there_is_no_verdict_before_every_answer() -> None:
    assert not is_known(WELL, Reading(is_waiting=True))
    assert is_known(WELL, Reading(False))


def test_a_part_of_the_page_that_has_no_answer_is_told_once() -> None:
    away: Reading[object] = Reading(
        problem=ServiceUnavailableError("ClickHouse does not answer.", hint="Wait.")
    )

    found = concerns(WELL, state(), NO_RUNS, NOW, [away, Reading(1), away])

    assert [(one.what, one.action) for one in found] == [("ClickHouse does not answer.", "Wait.")]
