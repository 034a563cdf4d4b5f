"""`kill -9` of everything while 100,000 events flow: each is there once, and every figure is right."""

import json
import os
import signal
from collections import Counter
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Final

import pytest
from clickhouse_connect.driver.client import Client

from clickstream.cli.runs import process_pending, reader
from clickstream.errors import ServiceUnavailableError
from clickstream.mage_api import MageClient
from clickstream.storage.checks import run_checks
from clickstream.verification import compare_with_key, load_key
from generator.live.options import LiveOptions, Source, Target
from stack.health import check_health
from stack.health_report import read_report
from stack.isolated import isolated_stack
from stack.lifecycle import Stack
from stack.processes import is_running
from stack.status import SUPERVISOR
from stack.supervision import WATCHDOG
from tests.integration.recovery.flow import Flow, flowing
from tests.waiting import wait_until

EVENTS: Final = 100_000
OPTIONS: Final = LiveOptions(
    target=Target.BOTH, rate_per_second=5_000, faults_percent=5, duplicates_percent=5, seed=5
)
SCHEDULER: Final = "mage's scheduler"
KILLS: Final = (
    (5_000, "api"),
    (15_000, "stream_events"),
    (20_000, SCHEDULER),
    (25_000, "mage"),
    (35_000, "kafka"),
    (45_000, "clickhouse"),
    (55_000, "api"),
    (65_000, "kafka"),
    (73_000, "stream_events"),
    (80_000, "clickhouse"),
    (87_000, "api"),
    (90_000, SUPERVISOR),
    # Once the supervisor is back, which may be after the flow.
    (90_000, WATCHDOG),
)
"""After how many acknowledged events which process is killed."""


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    services = ("clickhouse", "kafka", "api", "mage", "stream_events")
    with isolated_stack(tmp_path_factory.mktemp("recovery"), services) as running:
        yield running


def pid(stack: Stack, process: str) -> int:
    """The number of a process; 0 while it does not run."""
    try:
        if process == SUPERVISOR:
            return stack.supervisor.pid()
        if process == SCHEDULER:
            beat = json.loads(stack.paths.scheduler_beat.read_text())
            return int(beat["pid"]) if is_running(int(beat["pid"])) else 0
        return stack.supervisor.processes()[process].pid
    except (ServiceUnavailableError, FileNotFoundError):
        return 0


def kill(stack: Stack, service: str) -> int:
    """`kill -9`, once the service runs; the number of the process."""
    wait_until(lambda: pid(stack, service) != 0, f"{service} runs", 120)
    killed = pid(stack, service)
    os.kill(killed, signal.SIGKILL)
    return killed


def kill_one_after_the_other(stack: Stack, flow: Flow) -> None:
    killed: dict[str, int] = {}
    with MageClient(stack.settings.mage) as mage:
        # So that Mage dies in the midst of a run.
        mage.trigger("process_events")
    for events, service in KILLS:
        flow.wait_for(events)
        wait_until(
            lambda service=service: pid(stack, service) != killed.get(service),  # type: ignore[misc]
            f"{service} runs again",
            120,
        )
        killed[service] = kill(stack, service)
        assert flow.is_flowing or service == WATCHDOG, f"{service} was killed after the flow"


def ledger_by_source(client: Client) -> Mapping[str, Counter[str]]:
    rows = client.query("select * except date from ledger").named_results()
    totals: dict[str, Counter[str]] = {source.value: Counter() for source in Source}
    for row in rows:
        totals[row.pop("source")].update(row)
    return totals


def is_all_received(client: Client, flow: Flow) -> bool:
    ledger = ledger_by_source(client)
    return all(
        ledger[source]["received"] >= totals.acknowledged.events for source, totals in flow.totals().items()
    )


def test_each_acknowledged_event_is_there_once_whatever_was_killed(stack: Stack, tmp_path: Path) -> None:
    settings = stack.settings
    with flowing(settings, OPTIONS, EVENTS) as flow:
        kill_one_after_the_other(stack, flow)
    for service in stack.services:
        is_back = partial(lambda service: check_health(service, settings) is None, service)
        wait_until(is_back, f"{service.name} is back", 180)
    report = read_report(stack.paths.health)
    assert report is not None
    assert {name for name, service in report.services.items() if service.restarts} == set(report.services)
    client = reader(settings)
    wait_until(lambda: is_all_received(client, flow), "all is in raw_events")
    process_pending(settings)

    acknowledged = set(flow.acknowledged_ids())
    assert len(acknowledged) == sum(totals.acknowledged.valid for totals in flow.totals().values())
    rows = client.query("select id, count() from events group by id").result_rows
    assert {event_id for event_id, _ in rows} == acknowledged
    assert [row for row in rows if row[1] != 1] == []

    assert_the_ledger_balances(client, flow)
    flow.write_key(tmp_path / "live.key.json")
    comparisons = compare_with_key(client, load_key(tmp_path / "live.key.json"))
    views = [item for item in comparisons if item.name not in ("ledger", "error codes")]
    assert len(views) >= 7
    assert {item.name: list(item.differences) for item in views if item.differences} == {}
    assert [check.name for check in run_checks(client) if not check.passed] == []


def assert_the_ledger_balances(client: Client, flow: Flow) -> None:
    """Each source has what was acknowledged, and besides at most what may have arrived twice."""
    ledger = ledger_by_source(client)
    for source, totals in flow.totals().items():
        found, sent, twice = ledger[source], totals.acknowledged, totals.uncertain
        fates = ("stored", "duplicate", "quarantined", "pending")
        assert found["received"] == sum(found[fate] for fate in fates)
        assert (found["stored"], found["pending"]) == (sent.valid, 0)
        assert sent.events >= EVENTS * 0.45
        assert sent.duplicate <= found["duplicate"] <= sent.duplicate + twice.valid + twice.duplicate
        assert sent.faulty <= found["quarantined"] <= sent.faulty + twice.faulty
    assert flow.totals()[Source.BROKER].uncertain.events == 0, "the broker stores no record twice"
