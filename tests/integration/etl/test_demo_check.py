"""The demo compares the warehouse with its answer keys, and tells people's own data from what is missing."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from clickhouse_connect.driver.client import Client

from clickstream.verification import load_key
from generator.csv_writer import write_dataset
from generator.live.control import Status
from generator.live.options import LiveOptions
from generator.plan import DatasetFiles, Plan
from stack.demo import plan_until
from stack.demo_check import expected_ledger, own_data, verify
from tests.integration.etl.pipelines import load, run

AT_REST = Status("stopped", LiveOptions(), None, 0.0, 0.0, {}, "")
OWN = (
    "type,created_at,session_id,user_id,url,payload\n"
    'view,2025-01-01T10:00:00Z,own,1,/,"{""event_title"": ""home"", ""element_id"": ""#a""}"\n'
)


@pytest.fixture
def files(client: Client, tmp_path: Path) -> DatasetFiles:
    """The files of a demo, loaded and processed."""
    made = DatasetFiles.beside(tmp_path / "demo.csv")
    write_dataset(Plan(600, 3, 7, 0.05, 0.05, date(2025, 6, 30)), made, lambda _done: None)
    for path in (made.users, made.events):
        load(path)
    run()
    return made


def test_the_demo_alone_equals_its_key(client: Client, files: DatasetFiles) -> None:
    expected = expected_ledger(load_key(files.key), AT_REST)

    outcome = verify(client, files, expected, files.key)

    assert (outcome.is_right, outcome.sentence) == (True, "Every result matches the answer keys.")


def test_a_file_that_reaches_until_now_equals_its_key(
    client: Client, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    now = datetime.now(UTC)
    made = DatasetFiles.beside(tmp_path / "today.csv")
    write_dataset(replace(plan_until(now), events=6_000, days=8), made, lambda _done: None)
    load(made.events)
    run()

    outcome = verify(client, made, expected_ledger(load_key(made.key), AT_REST), made.key)

    assert outcome.is_right, capsys.readouterr().out
    last = client.query("select max(created_at) from events", tz_mode="aware").result_rows[0][0]
    assert now - timedelta(hours=3) < last <= now
    assert "of them recount a view from the stored events: arrivals, bot_traffic" in capsys.readouterr().out


def test_own_data_are_named_as_the_reason_and_do_not_fail_the_demo(
    client: Client, files: DatasetFiles, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    expected = expected_ledger(load_key(files.key), AT_REST)
    own = tmp_path / "own.csv"
    own.write_text(OWN)
    load(own)
    run()

    outcome = verify(client, files, expected, files.key)

    assert outcome.is_right
    assert "Because of your own data" in outcome.sentence
    shown = capsys.readouterr().out
    assert "(1 from csv)" in shown
    assert "demo.csv: 600 received, as its key says" in shown


def test_a_wrong_result_fails_also_beside_own_data(
    client: Client, files: DatasetFiles, tmp_path: Path
) -> None:
    expected = expected_ledger(load_key(files.key), AT_REST)
    own = tmp_path / "own.csv"
    own.write_text(OWN)
    load(own)
    run()
    client.command("alter table events delete where session_id != 'own' settings mutations_sync = 2")

    assert not verify(client, files, expected, files.key).is_right


def test_what_was_acknowledged_and_is_missing_fails_the_demo(client: Client, files: DatasetFiles) -> None:
    expected = expected_ledger(load_key(files.key), AT_REST)
    expected["csv"]["received"] += 1

    assert not verify(client, files, expected, files.key).is_right


def test_only_what_exceeds_the_expected_is_own() -> None:
    expected = {"csv": {"received": 5}, "http": {"received": 3}}
    found = {"csv": {"received": 5}, "http": {"received": 2}, "tracker": {"received": 1}}

    assert own_data(expected, found) == {"tracker": 1}
