"""Replays reach the pipeline whatever was deleted, and only what is in raw counts as replayed."""

import csv
from pathlib import Path

import pytest
from clickhouse_connect.driver.client import Client
from typer.testing import CliRunner

from clickstream.cli.app import app
from clickstream.etl import replay
from clickstream.etl.quarantine_file import write_quarantine
from clickstream.loads.history import origin_of
from clickstream.loads.report import make_report
from clickstream.settings import Settings
from clickstream.sources.csv import inspect_csv
from clickstream.storage.quarantine import QuarantineFilter, list_quarantined, replay_outcome, unreplayed
from clickstream.storage.raw import insert_raw, reached_offset
from tests.integration.etl.pipelines import load, run

HEADER = "type,created_at,session_id,user_id,url,payload"
PAYLOAD = '"{""event_title"": ""home"", ""element_id"": ""#a""}"'


@pytest.fixture
def broken_file(tmp_path: Path) -> Path:
    """Four events whose `user_id` is missing."""
    path = tmp_path / "broken.csv"
    rows = [f"view,2025-01-01T10:0{number}:00Z,s-{number},,/,{PAYLOAD}" for number in range(4)]
    path.write_text("\n".join([HEADER, *rows]) + "\n")
    return path


def send_again() -> int:
    return int(replay.replay_events(replay.select_quarantined("", "", ""))["run"]["counts"]["stored"])


def delete(client: Client, table: str, where: str) -> None:
    client.command(f"alter table {table} delete where {where} settings mutations_sync = 2")


@pytest.mark.parametrize(
    "deleted",
    [
        pytest.param(("raw_events",), id="raw"),
        pytest.param(("raw_events", "quarantined_events"), id="raw-and-the-fate"),
    ],
)
def test_a_replay_after_the_tail_of_raw_was_deleted_is_processed(
    client: Client, broken_file: Path, deleted: tuple[str, ...]
) -> None:
    load(broken_file)
    run()
    assert send_again() == 4
    run()
    for table in deleted:
        delete(client, table, "origin = 'replay'")
    # Quarantined once more, so that there is something to send.
    load_more = broken_file.with_name("more.csv")
    load_more.write_text(broken_file.read_text().replace("s-", "t-"))
    load(load_more)
    run()

    sent = send_again()
    run()

    assert sent >= 4
    assert client.query("select count() from pending_origins").result_rows == [(0,)]
    judged = (
        "select count(), min(offset) from quarantined_events final where origin = 'replay' and offset > 3"
    )
    assert client.query(judged).result_rows == [(sent, 4)]


def test_a_reused_offset_does_not_drop_other_rows(client: Client, broken_file: Path) -> None:
    load(broken_file)
    run()
    send_again()
    # As if nothing had ever been sent: the next replay takes the same offsets as the first.
    delete(client, "raw_events", "origin = 'replay'")
    delete(client, "quarantined_events", "true")
    other = broken_file.with_name("other.csv")
    other.write_text(broken_file.read_text().replace("s-", "u-"))
    load(other)
    run()

    assert send_again() == 4
    assert client.query(
        "select count(), min(offset) from raw_events where origin = 'replay'"
    ).result_rows == [(4, 0)]


def test_only_what_is_in_raw_is_marked_as_replayed(
    client: Client, broken_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    load(broken_file)
    run()
    insert = insert_raw
    # An insert that the database takes for a repeated one stores nothing and says nothing.
    monkeypatch.setattr(
        "clickstream.etl.replay.insert_raw", lambda client, table, _token: insert(client, table, "the same")
    )
    assert send_again() == 4
    other = broken_file.with_name("other.csv")
    other.write_text(broken_file.read_text().replace("s-", "v-"))
    load(other)
    run()

    assert send_again() == 0

    monkeypatch.setattr("clickstream.etl.replay.insert_raw", insert)
    assert send_again() == 8, "the four others, and the four that were replayed and refused again"


def test_lines_that_were_deleted_from_raw_are_known_when_the_file_comes_again(
    client: Client, broken_file: Path
) -> None:
    load(broken_file)
    run()
    delete(client, "raw_events", "origin like 'csv/%' and offset > 3")

    again = load(broken_file)

    assert (again["run"]["counts"]["stored"], again["run"]["counts"]["duplicate"]) == (0, 4)


def test_a_replay_says_what_became_of_its_own_events(client: Client, broken_file: Path) -> None:
    load(broken_file)
    run()
    send_again()
    run()
    before = reached_offset(client, "replay")
    fixes = broken_file.with_name("fixes.csv")
    with fixes.open("w", encoding="utf-8-sig", newline="") as file:
        write_quarantine(file, unreplayed(client, QuarantineFilter(source="replay")))
    fixed = fixes.read_text(encoding="utf-8-sig").replace(",s-1,,,", ",s-1,,42,")
    fixes.write_text(fixed, encoding="utf-8")

    replay.replay_events(replay.select_quarantined("", "", str(fixes)))
    run()

    assert replay_outcome(client, before) == {"stored": 1, "duplicate": 0, "refused": 3}
    assert replay_outcome(client, None) == {"stored": 1, "duplicate": 0, "refused": 7}


def test_a_body_that_was_edited_in_vain_is_named(client: Client, broken_file: Path) -> None:
    load(broken_file)
    run()
    fixes = broken_file.with_name("fixes.csv")
    with fixes.open("w", encoding="utf-8-sig", newline="") as file:
        write_quarantine(file, unreplayed(client, QuarantineFilter()))
    with fixes.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    rows[0]["body"] = rows[0]["body"].replace("s-", "t-")
    with fixes.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)

    done = replay.replay_events(replay.select_quarantined("", "", str(fixes)))

    assert "In 1 row of the file, `body` was edited beside filled cells" in done["message"]


def test_an_event_that_is_refused_again_is_still_found_by_its_file(
    settings: Settings, client: Client, broken_file: Path
) -> None:
    other = broken_file.with_name("other.csv")
    other.write_text(broken_file.read_text().replace("s-", "t-"))
    load(broken_file)
    load(other)
    run()
    sha256 = inspect_csv(broken_file).sha256
    of_file = QuarantineFilter(origin=origin_of(sha256))
    send_again()
    run()
    send_again()  # Now the replays themselves, so that two replays lie between an event and its file.
    run()

    found = list_quarantined(client, of_file, 10).to_pylist()
    assert {row["source"] for row in found} == {"replay"}
    assert {row["original"] for row in found} == {f"{origin_of(sha256)}:{line}:0" for line in range(2, 6)}
    by_session = list_quarantined(client, QuarantineFilter(origin=origin_of(sha256), session="s-2"), 10)
    assert by_session["original"].to_pylist() == [f"{origin_of(sha256)}:4:0"]
    by_line = list_quarantined(client, QuarantineFilter(origin=origin_of(sha256), line=3), 10)
    assert by_line["original"].to_pylist() == [f"{origin_of(sha256)}:3:0"]

    report = make_report(settings, broken_file.name, sha256)
    assert (report.load.quarantined, report.load.replayed, report.load.still_open) == (4, 4, 4)
    assert {(one.outcome, one.events, one.lines) for one in report.problems} == {
        ("refused, then replayed", 4, (2, 3, 4, 5)),
        ("refused again, then replayed", 4, (2, 3, 4, 5)),
        ("refused again", 4, (2, 3, 4, 5)),
    }


@pytest.mark.parametrize(
    ("wanted", "sent"),
    [
        pytest.param({"session": "s-1"}, ["s-1"], id="session"),
        pytest.param({"origin": "csv/{sha256}"}, ["s-0", "s-1", "s-2", "s-3"], id="file"),
        pytest.param({"origin": "csv/{sha256}", "session": "t-1"}, [], id="both"),
    ],
)
def test_a_replay_sends_what_its_filter_keeps(
    client: Client, broken_file: Path, wanted: dict[str, str], sent: list[str]
) -> None:
    other = broken_file.with_name("other.csv")
    other.write_text(broken_file.read_text().replace("s-", "t-"))
    load(broken_file)
    load(other)
    run()
    sha256 = inspect_csv(broken_file).sha256
    chosen = {name: value.format(sha256=sha256) for name, value in wanted.items()}

    replay.replay_events(replay.select_quarantined("", "", "", **chosen))

    sessions = (
        "select JSONExtractString(body, 'session_id') from raw_events where origin = 'replay' order by 1"
    )
    assert client.query(sessions).result_rows == [(session,) for session in sent]


def test_the_list_repeats_its_filters_in_the_advice(client: Client, broken_file: Path) -> None:
    load(broken_file)
    run()

    shown = CliRunner().invoke(app, ["quarantine", "list", "--file", str(broken_file), "--session", "s-1"])

    assert shown.exit_code == 0
    export = f"clickstream quarantine export --out bad.csv --file {broken_file} --session s-1, edit it"
    assert export in shown.output
