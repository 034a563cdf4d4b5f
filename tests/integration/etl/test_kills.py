"""A pipeline that is killed at any step and run again, or gone on with, gives the same numbers."""

import json
import multiprocessing
import random
import re
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from clickhouse_connect.driver.client import Client

from clickstream.cli.state import print_status
from clickstream.errors import BadInputError
from clickstream.etl import csv_load, process, rebuild, replay
from clickstream.settings import Settings
from clickstream.storage.runs import RunStatus, last_runs
from tests.integration.etl.pipelines import LOAD_NAMES, PROCESS_NAMES, PROCESS_STEPS, load, run, take_steps
from tests.integration.etl.test_exactness import SAMPLE, assert_exact
from tests.waiting import wait_until

MAX_DELAY_SECONDS = 0.4
"""A step over the sample takes about so long; the moment within it is drawn."""


def kill_at(step: str, manifest: Path, delay_seconds: float, csv_file: Path | None = None) -> None:
    """Runs a pipeline in a separate process and kills it in the middle of a step.

    The process is a fork, as Mage's runs are: Great Expectations need not be imported again.
    """
    fork = multiprocessing.get_context("fork")
    steps, tell = fork.Pipe(duplex=False)
    process = fork.Process(target=take_steps, args=(tell.send, manifest, csv_file))
    process.start()
    while steps.recv() != step:
        pass
    time.sleep(delay_seconds)
    process.kill()
    process.join()


@pytest.mark.parametrize("step", PROCESS_NAMES)
def test_process_events_killed_and_run_anew(client: Client, tmp_path: Path, step: str) -> None:
    load(SAMPLE)
    delay = random.Random(step).uniform(0, MAX_DELAY_SECONDS)
    kill_at(step, tmp_path / "manifest.json", delay)
    run()

    assert_exact(client)


@pytest.mark.parametrize("step", PROCESS_NAMES[1:])
def test_process_events_killed_and_gone_on_with_at_the_same_step(
    client: Client, tmp_path: Path, step: str
) -> None:
    load(SAMPLE)
    delay = random.Random(f"{step} again").uniform(0, MAX_DELAY_SECONDS)
    kill_at(step, tmp_path / "manifest.json", delay)
    run(PROCESS_STEPS[PROCESS_NAMES.index(step) :], json.loads((tmp_path / "manifest.json").read_text()))

    assert_exact(client)


def test_a_dead_run_that_was_overtaken_does_nothing_when_it_is_gone_on_with(
    client: Client, tmp_path: Path
) -> None:
    load(SAMPLE)
    kill_at("store_events", tmp_path / "manifest.json", 0.1)
    run()
    run(PROCESS_STEPS[4:], json.loads((tmp_path / "manifest.json").read_text()))

    assert_exact(client)


@pytest.mark.parametrize("step", LOAD_NAMES)
def test_load_csv_killed_and_run_anew(client: Client, tmp_path: Path, step: str) -> None:
    delay = random.Random(step).uniform(0, MAX_DELAY_SECONDS)
    kill_at(step, tmp_path / "manifest.json", delay, SAMPLE)
    load(SAMPLE)
    run()

    assert_exact(client)


def test_load_csv_killed_and_gone_on_with_at_the_same_step(client: Client, tmp_path: Path) -> None:
    kill_at("load_file", tmp_path / "manifest.json", 0.1, SAMPLE)
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    csv_load.report_load(csv_load.load_file(manifest))
    run()

    assert_exact(client)


def test_a_run_that_was_killed_is_recorded_as_failed(client: Client, tmp_path: Path) -> None:
    load(SAMPLE)
    kill_at("parse_payload", tmp_path / "manifest.json", 0.0)
    run()

    assert sorted(run.status for run in last_runs(client, 10, "process_events")) == ["failed", "succeeded"]


def test_a_dead_load_that_nobody_goes_on_with_is_told_by_the_next_look(
    client: Client, tmp_path: Path
) -> None:
    kill_while_loading(client, tmp_path)
    run(PROCESS_STEPS[:1])

    (record,) = last_runs(client, 10, "load_csv")
    assert (record.status, record.finished_at is not None) == (RunStatus.FAILED, True)
    assert re.fullmatch(
        r"Its process died before [\d-]+ [\d:]+ UTC\. Load the file again: no line counts twice\.",
        record.message,
    )


def test_a_dead_load_that_is_gone_on_with_says_so(client: Client, tmp_path: Path) -> None:
    kill_while_loading(client, tmp_path)
    run(PROCESS_STEPS[:1])
    csv_load.report_load(csv_load.load_file(json.loads((tmp_path / "manifest.json").read_text())))

    (record,) = last_runs(client, 10, "load_csv")
    assert record.status is RunStatus.SUCCEEDED
    assert record.message.endswith("It was resumed after its process had died.")


def test_status_tells_a_dead_run_before_anybody_has_recorded_it(
    client: Client, settings: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kill_while_loading(client, tmp_path)
    assert [record.status for record in last_runs(client, 10, "load_csv")] == [RunStatus.RUNNING]

    print_status(settings, as_json=True)

    (shown,) = json.loads(capsys.readouterr().out)["runs"]
    assert (shown["status"], shown["message"].startswith("Its process died before ")) == ("failed", True)


@pytest.mark.parametrize(
    ("pipeline", "refuse", "said"),
    [
        pytest.param("rebuild_marts", lambda: rebuild.plan_days("31.01.2025", ""), "'31.01.2025'", id="date"),
        pytest.param("replay_quarantine", lambda: replay.select_quarantined("x", "", ""), "'x'", id="code"),
    ],
)
def test_a_run_that_was_refused_at_once_is_recorded_with_the_cause(
    client: Client, pipeline: str, refuse: Callable[[], object], said: str
) -> None:
    with pytest.raises(BadInputError) as caught:
        refuse()
    # What Mage calls when a block fails.
    process.fail_run(pipeline, "a_block", caught.value)

    (record,) = last_runs(client, 10, pipeline)
    assert record.status is RunStatus.FAILED
    assert record.message.startswith(f"a_block: {said}")
    assert record.message.endswith(caught.value.hint), "and what to do"


def test_a_block_that_fails_before_its_run_is_recorded_leaves_a_failed_run(client: Client) -> None:
    process.fail_run("rebuild_marts", "plan_days", KeyError("from_date"))

    (record,) = last_runs(client, 10)
    assert (record.pipeline, record.status) == ("rebuild_marts", RunStatus.FAILED)
    assert record.message.startswith("plan_days: The variable 'from_date' is missing")


def kill_while_loading(client: Client, tmp_path: Path) -> None:
    """Kills a load once its run is recorded."""
    fork = multiprocessing.get_context("fork")
    arguments = (lambda _step: None, tmp_path / "manifest.json", SAMPLE)
    process = fork.Process(target=take_steps, args=arguments)
    process.start()
    wait_until(lambda: last_runs(client, 1, "load_csv") != [], "the load has begun")
    process.kill()
    process.join()
