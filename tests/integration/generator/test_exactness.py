"""What the generator reports as acknowledged is what is stored, even if any process is killed."""

import os
import signal
import threading
import uuid
from collections import Counter
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import httpx
import pytest
from clickhouse_connect.driver.client import Client

from clickstream.cli.state import ledger_rows
from clickstream.errors import ServiceUnavailableError
from clickstream.settings import Settings, get_settings
from clickstream.sources.broker import raw_table
from clickstream.storage.client import Role, connect
from clickstream.storage.migrations import migrate
from clickstream.storage.raw import insert_raw
from clickstream.verification import compare_with_key, load_key
from generator.csv_writer import write_dataset
from generator.live.control import Status
from generator.live.foreground import RunResult, run_in_foreground
from generator.live.options import LiveOptions, Source, Target
from generator.live_cli import call
from generator.merge import merge_keys
from generator.plan import DatasetFiles, Plan
from stack.lifecycle import Stack
from stack.processes import processes_of
from tests.integration.etl.pipelines import load
from tests.integration.etl.pipelines import run as process
from tests.integration.generator.topics import Bookmark, count_items, valid_ids
from tests.integration.generator.waiting import wait_until_all_is_acknowledged
from tests.waiting import wait_until


def kill(stack: Stack, service: str) -> None:
    """`kill -9` of all that a service consists of."""
    victims = processes_of(stack.settings.stack.data_path, service)
    assert victims
    for victim in victims:
        os.kill(victim.pid, signal.SIGKILL)


def send(settings: Settings, target: Target, key: Path, events: int) -> RunResult:
    options = LiveOptions(target=target, faults_percent=10, duplicates_percent=5)
    result = run_in_foreground(settings, options, events=events, at_once_minutes=60, key=key)
    assert (result.problem, result.unacknowledged, result.uncertain) == ("", 0, 0)
    assert sum(tally.events for tally in result.sources.values()) == events
    return result


@pytest.fixture
def warehouse(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> Iterator[Client]:
    """An empty database; `get_settings()` leads to it."""
    monkeypatch.setenv("CLICKSTREAM_CLICKHOUSE__DATABASE", f"test_{uuid.uuid4().hex}")
    get_settings.cache_clear()
    client = connect(get_settings().clickhouse, Role.WRITER)
    migrate(client, get_settings().clickhouse)
    yield client
    monkeypatch.undo()
    get_settings.cache_clear()


def test_the_warehouse_equals_the_merged_key_of_file_http_and_broker(
    settings: Settings, bookmark: Bookmark, warehouse: Client, tmp_path: Path
) -> None:
    files = DatasetFiles.beside(tmp_path / "file.csv")
    plan = Plan(2_000, 3, 42, 0.02, 0.02, date(2026, 3, 2))
    write_dataset(plan, files, lambda _: None)
    live = [tmp_path / f"{target}.key.json" for target in Target]
    for target, key in zip(Target, live, strict=True):
        send(settings, target, key, 1_501)

    merge_keys([files.key, *live], tmp_path / "all.key.json")
    load(files.events)
    insert_raw(warehouse, raw_table(bookmark.read()), "all records")
    process()
    comparisons = compare_with_key(warehouse, load_key(tmp_path / "all.key.json"))

    assert {item.name: list(item.differences) for item in comparisons if item.differences} == {}
    assert {item.name for item in comparisons} > {"ledger", "error codes", "daily_active_users"}


def test_the_ledger_shows_what_the_service_says_was_acknowledged(
    settings: Settings, bookmark: Bookmark, warehouse: Client, control: httpx.Client
) -> None:
    before = call(settings.generator, "GET", "/status")
    options = {"rate_per_second": 1_000, "target": "both", "faults_percent": 10, "duplicates_percent": 10}
    assert control.post("/start", json=options).status_code == 200
    wait_until(lambda: _received(call(settings.generator, "GET", "/status")) - _received(before) > 2_000)
    control.post("/stop", json={})
    wait_until_all_is_acknowledged(settings.generator)
    after = call(settings.generator, "GET", "/status")

    insert_raw(warehouse, raw_table(bookmark.read()), "all records")
    process()

    columns, rows = ledger_rows(warehouse)
    found: dict[str, Counter[str]] = {source.value: Counter() for source in Source}
    for source, _date, *counts in rows:
        found[source].update(dict(zip(columns[2:], counts, strict=True)))
    for source in Source:
        now, then = after.sources[source], before.sources[source]
        assert now.uncertain == then.uncertain
        assert found[source]["stored"] == now.valid - then.valid > 500
        assert found[source]["duplicate"] == now.duplicate - then.duplicate > 20
        assert found[source]["quarantined"] == now.faulty - then.faulty > 20
        assert found[source]["received"] == now.received - then.received
        assert (found[source]["pending"], found[source]["unaccounted"]) == (0, 0)


def test_a_broker_that_is_killed_has_each_record_once(
    stack: Stack, settings: Settings, bookmark: Bookmark
) -> None:
    acknowledged: list[int] = []

    def kill_in_the_midst(so_far: int, _: str) -> None:
        if so_far > 1_500 and not acknowledged:
            acknowledged.append(so_far)
            kill(stack, "kafka")

    options = LiveOptions(rate_per_second=2_000, faults_percent=10, duplicates_percent=5)
    result = run_in_foreground(settings, options, events=6_000, on_progress=kill_in_the_midst)

    assert acknowledged
    assert acknowledged[0] < 6_000
    assert (result.problem, result.uncertain, result.unacknowledged) == ("", 0, 0)
    records = bookmark.read()
    tally = result.sources[Source.BROKER]
    assert count_items(records) == tally.events == 6_000
    assert len(valid_ids(records)) == tally.valid + tally.duplicate
    assert len(set(valid_ids(records))) == tally.valid


def test_a_service_that_is_killed_goes_on_and_loses_no_count(
    stack: Stack, settings: Settings, bookmark: Bookmark, control: httpx.Client
) -> None:
    before = call(settings.generator, "GET", "/status")

    def received() -> int:
        try:
            return _received(call(settings.generator, "GET", "/status")) - _received(before)
        except ServiceUnavailableError:
            return 0  # It is just being started again.

    options = {"rate_per_second": 1_000, "target": "both", "faults_percent": 5}
    assert control.post("/start", json=options).status_code == 200
    for goal in (300, 600, 900):
        wait_until(lambda goal=goal: received() > goal)  # type: ignore[misc]
        if goal < 900:
            kill(stack, "generator")
    assert call(settings.generator, "GET", "/status").state == "running"
    control.post("/stop", json={})
    wait_until_all_is_acknowledged(settings.generator)

    after = call(settings.generator, "GET", "/status")
    records = bookmark.read()
    for source in Source:
        came = [record for record in records if record.source == source]
        counted, counted_before = after.sources[source], before.sources[source]
        assert len(set(valid_ids(came))) == counted.valid - counted_before.valid
        items = count_items(came) - (counted.received - counted_before.received)
        assert 0 <= items <= counted.uncertain - counted_before.uncertain


def _received(status: Status) -> int:
    return sum(source.received for source in status.sources.values())


def test_the_api_killed_in_the_midst_costs_nothing(
    stack: Stack, settings: Settings, bookmark: Bookmark
) -> None:
    killed = threading.Event()

    def kill_in_the_midst(so_far: int, _: str) -> None:
        if so_far > 1_000 and not killed.is_set():
            killed.set()
            kill(stack, "api")

    options = LiveOptions(rate_per_second=2_000, target=Target.HTTP)
    result = run_in_foreground(settings, options, events=4_000, on_progress=kill_in_the_midst)

    assert killed.is_set()
    assert (result.problem, result.unacknowledged) == ("", 0)
    tally = result.sources[Source.HTTP]
    records = bookmark.read()
    assert len(set(valid_ids(records))) == tally.valid
    assert 0 <= count_items(records) - 4_000 <= result.uncertain
