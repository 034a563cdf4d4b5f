"""Replays reach the pipeline whatever was deleted, and only what is in raw counts as replayed."""

from pathlib import Path

import pytest
from clickhouse_connect.driver.client import Client

from clickstream.etl import replay
from clickstream.etl.quarantine_file import write_quarantine
from clickstream.storage.quarantine import QuarantineFilter, replay_outcome, unreplayed
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
