"""The pipelines in the real Mage, on the real ClickHouse: what they do, alone and at once."""

import json
import signal
import sqlite3
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import psutil
import pytest
from clickhouse_connect.driver.client import Client
from pydantic import SecretStr

from clickstream.errors import ServiceUnavailableError
from clickstream.mage_api import (
    LogLine,
    MageApiError,
    MageClient,
    PipelineRun,
    RunFailedError,
    RunStatus,
    RunTimeoutError,
    read_log_line,
)
from clickstream.settings import PROJECT_ROOT
from clickstream.storage.runs import RunRecord, last_runs
from clickstream.storage.runs import RunStatus as RecordedStatus
from stack.lifecycle import Stack
from stack.processes import free_port, processes_of
from tests.waiting import wait_until

SAMPLE = PROJECT_ROOT / "data" / "sample_events.csv"
SAMPLE_KEY = json.loads((PROJECT_ROOT / "data" / "sample_events.key.json").read_text(encoding="utf-8"))
RUN_SECONDS = 120.0
RUNS_AT_ONCE = 4
MANY_LINES = 150_000
CSV_HEADER = "type,created_at,session_id,user_id,url,payload"
CSV_LINE = 'view,2025-01-01T10:00:00Z,s{0},{0},/,"{{""event_title"":""seen"",""element_id"":""#buy""}}"'


def run(mage: MageClient, pipeline: str, **variables: str) -> PipelineRun:
    return mage.wait(mage.trigger(pipeline, variables), timeout_seconds=RUN_SECONDS)


def until(true: Callable[[], bool], seconds: float = RUN_SECONDS) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it did not come about in time"
        time.sleep(0.05)


def count(clickhouse: Client, table: str) -> int:
    [row] = clickhouse.query(f"select count() from {table}").result_rows
    return int(row[0])


@pytest.fixture(scope="module")
def processed_sample(mage: MageClient, clickhouse: Client) -> None:
    """The sample file, loaded and processed once."""
    run(mage, "load_csv", path=str(SAMPLE))
    run(mage, "process_events")
    assert count(clickhouse, "events") > 0


@pytest.mark.usefixtures("processed_sample")
def test_the_sample_is_stored_as_its_answer_key_says(clickhouse: Client) -> None:
    [[_source, received, stored, duplicate, quarantined]] = SAMPLE_KEY["ledger"]["rows"]
    tables = ("raw_events", "events", "duplicate_events", "quarantined_events")
    counts = tuple(count(clickhouse, table) for table in tables)
    assert counts == (received, stored, duplicate, quarantined)


@pytest.mark.usefixtures("processed_sample")
def test_loading_the_same_file_again_adds_nothing_and_says_so(mage: MageClient, clickhouse: Client) -> None:
    before = count(clickhouse, "raw_events")
    again = run(mage, "load_csv", path=str(SAMPLE))
    assert "nothing was added" in mage.result(again)["message"]
    assert count(clickhouse, "raw_events") == before


@pytest.mark.usefixtures("processed_sample")
def test_rebuilding_the_marts_changes_no_figure(mage: MageClient, clickhouse: Client) -> None:
    query = "select * from page_views order by all"
    before = clickhouse.query(query).result_rows
    rebuilt = run(mage, "rebuild_marts", from_date="2025-06-01", to_date="2025-07-31")
    assert "days rebuilt" in mage.result(rebuilt)["message"]
    assert clickhouse.query(query).result_rows == before != []


@pytest.mark.usefixtures("processed_sample")
def test_replayed_events_that_are_still_wrong_return_to_quarantine(
    mage: MageClient, clickhouse: Client
) -> None:
    stored = count(clickhouse, "events")
    run(mage, "replay_quarantine", code="missing_field")
    run(mage, "process_events")
    missing = SAMPLE_KEY["quarantined"]["by_code"]["missing_field"]
    assert count(clickhouse, "raw_events where source = 'replay'") == missing
    assert count(clickhouse, "events") == stored


@pytest.mark.usefixtures("processed_sample")
def test_runs_wait_for_each_other(mage: MageClient) -> None:
    ids = [mage.trigger("process_events") for _ in range(RUNS_AT_ONCE)]
    runs = sorted((mage.wait(run_id, timeout_seconds=RUN_SECONDS) for run_id in ids), key=lambda run: run.id)
    for earlier, later in pairwise(runs):
        ended, began = earlier.blocks[-1].completed_at, later.blocks[0].started_at
        assert ended is not None
        assert began is not None
        assert ended <= began


@pytest.mark.usefixtures("processed_sample")
def test_each_block_of_a_run_is_executed_once(mage: MageClient) -> None:
    ids = [mage.trigger("rebuild_marts") for _ in range(RUNS_AT_ONCE)]
    for run_id in ids:
        log = mage.log_lines(mage.wait(run_id, timeout_seconds=RUN_SECONDS))
        starts = {
            block: [line.message for line in lines if line.message.startswith("Start executing")]
            for block, lines in log.items()
        }
        assert {block: len(lines) for block, lines in starts.items()} == {"plan_days": 1, "rebuild_marts": 1}


def test_a_failed_run_names_its_block_its_error_and_its_log_and_is_recorded(
    mage: MageClient, clickhouse: Client, tmp_path: Path
) -> None:
    missing = tmp_path / "missing.csv"
    with pytest.raises(RunFailedError, match=r"failed in block inspect_csv_file: .*missing\.csv") as failure:
        run(mage, "load_csv", path=str(missing))
    assert "/pipelines/load_csv/logs?pipeline_run_id[]=" in failure.value.hint

    def recorded() -> list[RunRecord]:
        return [run for run in last_runs(clickhouse, 10, "load_csv") if str(missing) in run.message]

    # The callback that records it may end after Mage has called the run failed.
    wait_until(lambda: len(recorded()) == 1, "the failed run is recorded")
    [record] = recorded()
    assert record.status == RecordedStatus.FAILED
    assert record.message.startswith("inspect_csv_file: ")


def test_waiting_tells_each_change_and_ends_in_time(mage: MageClient) -> None:
    seen: list[RunStatus] = []
    mage.wait(mage.trigger("process_events"), lambda run: seen.append(run.status))
    assert seen[-1] == RunStatus.COMPLETED
    with pytest.raises(RunTimeoutError, match="has not ended after 0 s"):
        mage.wait(mage.trigger("process_events"), timeout_seconds=0)


def test_what_an_old_run_left_behind_is_pruned(mage: MageClient, stack: Stack, tmp_path: Path) -> None:
    with pytest.raises(RunFailedError):
        run(mage, "load_csv", path=str(tmp_path / "old.csv"))
    data = stack.settings.stack.data_path / "mage"
    with sqlite3.connect(data / "mage-ai.db", timeout=30) as database:
        [[old_id]] = database.execute("select max(id) from pipeline_run where pipeline_uuid = 'load_csv'")
        database.execute("update pipeline_run set created_at = '2020-01-01 00:00:00' where id = ?", [old_id])
    assert mage.run_status(old_id).status == RunStatus.FAILED
    pruned = run(mage, "prune_run_history")
    assert mage.result(pruned)["pipeline_runs"] == 1
    with pytest.raises(MageApiError, match="there is no such thing"):
        mage.run_status(old_id)


@pytest.mark.parametrize(
    ("line", "read"),
    [
        pytest.param(
            '2025-01-01T00:00:00 {"level": "INFO", "message": "3 lines", "block_uuid": "load_csv_file"}',
            LogLine(level="INFO", message="3 lines"),
            id="of Mage",
        ),
        pytest.param("ValueError: no", LogLine(level="INFO", message="ValueError: no"), id="of a traceback"),
        pytest.param("", LogLine(level="INFO", message=""), id="empty"),
    ],
)
def test_each_line_of_a_log_can_be_read(line: str, read: LogLine) -> None:
    assert read_log_line(line) == read


def test_an_unknown_pipeline_is_refused_by_name(mage: MageClient) -> None:
    with pytest.raises(MageApiError, match="load_xml does not exist"):
        mage.trigger("load_xml")


def test_a_wrong_password_is_said(stack: Stack) -> None:
    wrong = stack.settings.mage.model_copy(update={"owner_password": SecretStr("wrong")})
    with MageClient(wrong) as client, pytest.raises(MageApiError, match="does not let"):
        client.trigger("process_events")


def test_without_a_server_the_hint_says_how_to_start_it(stack: Stack) -> None:
    port = free_port("127.0.0.1")
    nowhere = stack.settings.mage.model_copy(update={"port": port})
    with MageClient(nowhere) as client, pytest.raises(ServiceUnavailableError) as failure:
        client.trigger("process_events")
    assert failure.value.hint == "Start it with `make up`."


def test_a_killed_server_leaves_no_process_and_is_restarted_with_its_runs(
    stack: Stack, mage: MageClient
) -> None:
    server = stack.supervisor.processes()["mage"].pid
    children = psutil.Process(server).children(recursive=True)
    assert children
    run_id = mage.trigger("process_events")
    psutil.Process(server).send_signal(signal.SIGKILL)
    until(lambda: not any(child.is_running() and child.status() != "zombie" for child in children), 10)
    until(lambda: stack.supervisor.processes()["mage"].pid not in {0, server})
    until(lambda: answers(mage, run_id))
    assert mage.wait(run_id, timeout_seconds=RUN_SECONDS).status == RunStatus.COMPLETED
    restarted = stack.supervisor.processes()["mage"].pid
    family = {restarted, *(child.pid for child in psutil.Process(restarted).children(recursive=True))}
    assert {process.pid for process in processes_of(stack.settings.stack.data_path, "mage")} <= family


def test_a_run_whose_process_is_killed_goes_on_and_loads_each_line_once(
    stack: Stack, mage: MageClient, clickhouse: Client, tmp_path: Path
) -> None:
    path = tmp_path / "many.csv"
    path.write_text("\n".join([CSV_HEADER, *(CSV_LINE.format(number) for number in range(MANY_LINES))]))
    server = psutil.Process(stack.supervisor.processes()["mage"].pid)
    lasting = set(server.children(recursive=True))
    run_id = mage.trigger("load_csv", {"path": str(path)})
    until(lambda: mage.run_status(run_id).current_block == "load_csv_file")
    for process in set(server.children(recursive=True)) - lasting:
        process.kill()
    assert mage.run_status(run_id).status == RunStatus.RUNNING
    loaded = mage.result(mage.wait(run_id, timeout_seconds=RUN_SECONDS))
    origin = f"csv/{loaded['file']['sha256']}"
    assert count(clickhouse, f"raw_events where origin = '{origin}'") == MANY_LINES


def answers(mage: MageClient, run_id: int) -> bool:
    try:
        mage.run_status(run_id)
    except ServiceUnavailableError:
        return False
    return True
