"""A person is erased: gone from every file, the ledger balances, and they do not come back."""

import gzip
import json
import struct
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import pytest
from clickhouse_connect.driver.client import Client
from typer.testing import CliRunner

from clickstream.cli.app import app
from clickstream.etl.replay import replay_events, select_quarantined
from clickstream.privacy import erase
from clickstream.privacy.erase import erase_user
from clickstream.privacy.export import export_user
from clickstream.privacy.find import find_person
from clickstream.privacy.people import read_erased_people
from clickstream.privacy.receipt import decode_receipt, describe_receipt
from clickstream.privacy.returned import find_returned
from clickstream.settings import Settings
from clickstream.storage.checks import run_checks
from clickstream.storage.erasures import read_erasures
from clickstream.storage.raw import insert_raw, last_offset
from clickstream.storage.runs import last_runs
from tests.integration.etl.pipelines import load
from tests.integration.etl.pipelines import run as process
from tests.integration.warehouse.rows import raw_rows

RECEIVED: Final = datetime(2026, 3, 1, 12, tzinfo=UTC)
TOPIC: Final = "clickstream.events/0"
PERSON: Final = 730_051_994_417
OTHER: Final = 815_200_333_914
ADDRESS: Final = "203.0.113.77"
NAME: Final = "Zinaida Quarkova"
SESSION: Final = "s-of-zinaida"

TRACES: Final = {
    "id": str(PERSON).encode(),
    "id as a number": struct.pack("<Q", PERSON),
    "address": ADDRESS.encode(),
    "name": NAME.encode(),
    "session": SESSION.encode(),
}


def event(event_id: int, user_id: object = PERSON, **changes: object) -> str:
    mine = user_id == PERSON
    fields = {
        "id": event_id,
        "type": "view",
        "created_at": "2026-02-28T10:00:00Z",
        "session_id": SESSION if mine else "s-other",
        "ip": ADDRESS if mine else "198.51.100.1",
        "user_id": user_id,
        "url": "/cart",
        "payload": {"event_title": "checkout", "element_id": "#buy", "note": NAME if mine else "none"},
    }
    return json.dumps({**fields, **changes})


def receive(client: Client, *bodies: str, offset: int = 0, **changes: Any) -> None:
    rows = [
        {
            "source": "broker",
            "origin": TOPIC,
            "offset": offset,
            "item": item,
            "body": body,
            "received_at": RECEIVED,
            **changes,
        }
        for item, body in enumerate(bodies)
    ]
    insert_raw(client, raw_rows(rows), f"{offset}{bodies[0]}{changes}")


@pytest.fixture(autouse=True)
def _nobody_is_erased(settings: Settings) -> None:
    """The list of other tests is forgotten; their databases are gone."""
    (settings.stack.data_path / "etl" / "erased_people.txt").unlink(missing_ok=True)


@pytest.fixture
def story(client: Client, settings: Settings, tmp_path: Path) -> Client:
    """Two people in one record, duplicates, every kind of refused text, users, and events that still wait."""
    receive(client, event(1), event(2, OTHER), event(3, f"{PERSON}", created_at="2026-02-27T10:00:00Z"))
    receive(client, event(1), event(2, OTHER), offset=1)
    receive(client, event(4, type="hover"), event(5, OTHER, type="hover"), offset=2)
    receive(client, event(6)[:-20], offset=3)
    receive(client, f"7,click,2026-02-28,{SESSION},{ADDRESS},{PERSON}", offset=4, defect="malformed_line")
    receive(client, event(8, None, session_id=SESSION), offset=5)
    receive(client, event(9, f"user {PERSON}"), event(10, [PERSON]), offset=6)
    users = tmp_path / "users.csv"
    users.write_text(f"id,fio,country\n{PERSON},{NAME},DE\n{OTHER},Ivan Other,US\n", encoding="utf-8")
    load(users)
    process()
    receive(client, event(11), event(12, OTHER), offset=7)
    return client


def ledger(client: Client) -> dict[str, int]:
    names = ("received", "stored", "duplicate", "quarantined", "pending", "erased")
    row = client.query(f"select {', '.join(f'sum({name})' for name in names)} from ledger").result_rows[0]
    return dict(zip(names, map(int, row), strict=True))


def failed_checks(client: Client) -> dict[str, object]:
    return {check.name: check.rows for check in run_checks(client) if not check.passed}


def store_plainly(client: Client) -> None:
    """Stores data uncompressed, so that the database's files can be searched."""
    columns = client.query(
        "select table, name from system.columns where database = currentDatabase() "
        "and default_kind != 'EPHEMERAL' and table in (select name from system.tables "
        "where database = currentDatabase() and engine like '%MergeTree')"
    ).result_rows
    changes: dict[str, list[str]] = {}
    for table, name in columns:
        changes.setdefault(table, []).append(f"modify column {name} codec(NONE)")
    for table, parts in changes.items():
        plain_key = "modify setting compress_primary_key = 0, compress_marks = 0"
        client.command(f"alter table {table} {', '.join(parts)}, {plain_key}")


def files_with_traces(directory: Path) -> dict[str, set[str]]:
    """The traces of the person that are in files of a directory, by the file."""
    found = {}
    for path in directory.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            traces = {name for name, trace in TRACES.items() if trace in content}
            if traces:
                found[str(path.relative_to(directory))] = traces
    return found


def test_nothing_of_an_erased_person_is_left_in_any_file(
    client: Client, settings: Settings, request: pytest.FixtureRequest
) -> None:
    store_plainly(client)
    request.getfixturevalue("story")
    data = settings.stack.data_path
    assert set().union(*files_with_traces(data).values()) == set(TRACES)

    erase_user(settings, PERSON)

    assert files_with_traces(data) == {}


def test_an_erasure_removes_a_person_and_leaves_others(story: Client, settings: Settings) -> None:
    before = ledger(story)
    assert before == {
        "received": 14, "stored": 3, "duplicate": 2, "quarantined": 7, "pending": 2, "erased": 0,
    }  # fmt: skip

    receipt = erase_user(settings, PERSON)

    assert receipt.is_verified, receipt.verified
    assert {(part.where, part.count) for part in receipt.removed} == {
        ("raw_events", 10),
        ("events", 2),
        ("duplicate_events", 1),
        ("quarantined_events", 6),
        ("users", 1),
        ("marts and summaries", 2),
        ("staged files", 0),
    }
    assert ledger(story) == {
        "received": 14, "stored": 1, "duplicate": 1, "quarantined": 1, "pending": 1, "erased": 10,
    }  # fmt: skip
    assert find_person(story, PERSON).is_empty
    assert len(find_person(story, OTHER).events) == 4
    assert story.query("select fio from users final").result_rows == [("Ivan Other",)]
    assert failed_checks(story) == {}


def test_marts_no_longer_count_an_erased_person(story: Client, settings: Settings) -> None:
    erase_user(settings, PERSON)
    days = story.query("select date, dau from daily_active_users order by date").result_rows
    assert [(str(day), users) for day, users in days] == [("2026-02-28", 1)]


def test_an_erased_person_does_not_come_back(story: Client, settings: Settings) -> None:
    erase_user(settings, PERSON)
    before = ledger(story)
    late, invalid, broken = event(20), event(21, type="hover"), event(22)[:-9]
    spelt_otherwise = event(23, f" {PERSON}.0 ")

    receive(story, late, invalid, spelt_otherwise, event(30, OTHER), offset=9)
    receive(story, broken, offset=10)
    result = process()

    assert result["run"]["counts"]["erased"] == 4
    assert "4 of erased people removed" in result["message"]
    after = ledger(story)
    assert {name: after[name] - before[name] for name in after if after[name] != before[name]} == {
        "received": 5, "stored": 2, "pending": -1, "erased": 4,
    }  # fmt: skip
    assert find_person(story, PERSON).is_empty
    assert failed_checks(story) == {}


def test_a_batch_of_erased_people_alone_is_processed(story: Client, settings: Settings) -> None:
    erase_user(settings, PERSON)
    process()
    receive(story, event(20), event(21), offset=9)
    assert process()["run"]["counts"]["erased"] == 2
    assert ledger(story)["pending"] == 0
    assert failed_checks(story) == {}


def test_a_record_whose_rows_were_erased_is_not_taken_for_a_new_one(
    story: Client, settings: Settings
) -> None:
    receive(story, event(40), offset=50)
    erase_user(settings, PERSON)
    assert last_offset(story, TOPIC) == 50


def test_a_file_that_is_loaded_again_brings_nobody_back(
    client: Client, settings: Settings, tmp_path: Path
) -> None:
    events = tmp_path / "events.csv"
    line = 'view,2026-02-28T10:00:00Z,{session},{user},/,"{{""event_title"": ""a"", ""element_id"": ""#a""}}"'
    lines = [line.format(session=SESSION, user=PERSON), line.format(session="s", user=OTHER)]
    header = "type,created_at,session_id,user_id,url,payload"
    events.write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")
    users = tmp_path / "users.csv"
    users.write_text(f"id,fio,country\n{PERSON},{NAME},DE\n", encoding="utf-8")
    load(events)
    process()
    erase_user(settings, PERSON)

    again = load(events)
    events.write_text("\n".join([header, *reversed(lines)]) + "\n", encoding="utf-8")
    load(events)
    process()
    of_users = load(users)

    assert again["run"]["counts"]["stored"] == 0
    assert "1 erased people left out" in of_users["message"]
    assert find_person(client, PERSON).is_empty
    assert ledger(client)["erased"] == 2
    assert failed_checks(client) == {}


def test_a_replay_that_was_mended_to_name_the_person_takes_its_original_along(
    client: Client, settings: Settings
) -> None:
    receive(client, event(8, None, session_id="unknown"), offset=5)
    process()
    receive(client, event(8), source="replay", origin="replay", replay_of=f"{TOPIC}:5:0")
    process()
    erase_user(settings, PERSON)
    assert ledger(client)["erased"] == 2
    assert client.query("select count() from raw_events").result_rows == [(0,)]


def test_the_offset_of_an_erased_replay_is_not_given_to_another(client: Client, settings: Settings) -> None:
    receive(client, event(8), source="replay", origin="replay", offset=70)
    erase_user(settings, PERSON)
    receive(client, event(9, OTHER, type="hover"), offset=1)
    process()
    replay_events(select_quarantined("", "", ""))
    assert client.query("select offset from raw_events where origin = 'replay'").result_rows == [(71,)]


def test_the_replay_of_a_row_that_was_chosen_before_the_erasure_sends_nothing(
    story: Client, settings: Settings
) -> None:
    chosen = select_quarantined("", "", "")
    erase_user(settings, PERSON)
    replay_events(chosen)
    assert find_person(story, PERSON).is_empty


def test_an_event_of_another_person_with_the_same_id_is_stored_instead(
    client: Client, settings: Settings
) -> None:
    receive(client, event(1), event(1, OTHER), event(1, OTHER, url="/later"))
    process()
    assert ledger(client)["duplicate"] == 2
    receipt = erase_user(settings, PERSON)
    assert [part.count for part in receipt.removed if "same id" in part.what] == [1]
    assert client.query("select user_id, url from events").result_rows == [(OTHER, "/cart")]
    assert ledger(client) == {
        "received": 3, "stored": 1, "duplicate": 1, "quarantined": 0, "pending": 0, "erased": 1,
    }  # fmt: skip
    assert failed_checks(client) == {}


STEPS: Final = ("find_person", "insert_erased", "delete_erased", "delete_user", "rebuild_days", "_finish")


@pytest.mark.parametrize("step", STEPS)
def test_an_erasure_that_was_ended_after_any_step_is_finished_by_the_next(
    story: Client, settings: Settings, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    """Ends it by an exception that nothing handles, which leaves what a kill leaves."""
    real = getattr(erase, step)

    def end(*arguments: Any) -> None:
        real(*arguments)
        raise KeyboardInterrupt

    monkeypatch.setattr(erase, step, end)
    with pytest.raises(KeyboardInterrupt):
        erase_user(settings, PERSON)
    monkeypatch.setattr(erase, step, real)
    receipt = erase_user(settings, PERSON)

    done_before = step == "_finish"
    assert receipt.is_verified
    assert {part.where: part.count for part in receipt.removed}["users"] == (0 if done_before else 1)
    assert receipt.removed[0].count == (0 if done_before else 10)
    assert ledger(story)["erased"] == 10
    assert failed_checks(story) == {}
    assert [run.status for run in last_runs(story, 10, erase.PIPELINE)] == ["succeeded"] * (1 + done_before)


def test_erasing_somebody_unknown_removes_nothing_and_keeps_them_away(
    client: Client, settings: Settings
) -> None:
    receipt = erase_user(settings, PERSON)
    assert receipt.is_verified
    assert sum(part.count for part in receipt.removed) == 0
    assert PERSON in read_erased_people(client, settings)
    assert OTHER not in read_erased_people(client, settings)


def test_a_list_that_the_database_lost_is_restored_from_its_file(story: Client, settings: Settings) -> None:
    erase_user(settings, PERSON)
    story.command("truncate table erased_users")
    assert PERSON in read_erased_people(story, settings)
    assert story.query("select count() from erased_users").result_rows == [(1,)]


def test_people_whom_a_backup_brings_back_are_found(story: Client, settings: Settings) -> None:
    erase_user(settings, PERSON)
    assert find_returned(story, read_erased_people(story, settings)) == []
    story.command(f"insert into users (id, fio, country) values ({PERSON}, '{NAME}', 'DE')")
    assert find_returned(story, read_erased_people(story, settings)) == [PERSON]


def test_rows_that_were_only_marked_as_deleted_are_removed_too(story: Client, settings: Settings) -> None:
    story.command(f"delete from events where user_id = {PERSON}")
    masked = f"select count() from events where user_id = {PERSON} settings apply_deleted_mask = 0"
    assert story.query(masked).result_rows == [(2,)]
    assert erase_user(settings, PERSON).is_verified
    assert story.query(masked).result_rows == [(0,)]


def test_the_receipt_names_files_and_the_broker_but_nothing_of_the_person(
    story: Client, settings: Settings
) -> None:
    upload = settings.stack.data_path / "uploads" / "people.csv.gz"
    upload.parent.mkdir(exist_ok=True)
    upload.write_bytes(gzip.compress(f"id,fio,country\n{PERSON},{NAME},DE\n{OTHER},B,DE\n".encode()))
    try:
        receipt = erase_user(settings, PERSON)
    finally:
        upload.unlink()
    remains = {part.where: part for part in receipt.remains}
    assert "1 lines name the person" in remains[str(upload)].what
    topic = remains[f"broker topic {settings.broker.topic}"]
    assert topic.until is not None
    assert topic.until > datetime.now(UTC)
    text = describe_receipt(receipt)
    assert not [trace for trace in (str(PERSON), ADDRESS, NAME, SESSION) if trace in text]


def test_a_receipt_is_kept(story: Client, settings: Settings) -> None:
    receipt = erase_user(settings, PERSON)
    kept = read_erasures(story, run_id=receipt.erasure_id)
    assert [decode_receipt(one.receipt) for one in kept] == [receipt]


def test_the_export_gives_everything_that_is_known(story: Client) -> None:
    known = export_user(story, PERSON)
    assert known["user"] == {"id": PERSON, "fio": NAME, "country": "DE"}
    assert [one["id"] for one in known["events"]] == [3, 1]
    assert known["events"][1]["ip"] == ADDRESS
    assert known["events"][1]["payload"]["note"] == NAME
    assert sorted(one["became"] for one in known["received"]) == [
        "duplicate", "pending", *["quarantined"] * 6, "stored", "stored",
    ]  # fmt: skip
    assert all(str(PERSON) in one["body"] or SESSION in one["body"] for one in known["received"])


@pytest.mark.usefixtures("story")
def test_the_file_of_an_export_is_for_its_owner_alone(tmp_path: Path) -> None:
    file = tmp_path / "person.json"

    answer = CliRunner().invoke(app, ["export-user", str(PERSON), "--out", str(file)])

    assert answer.exit_code == 0, answer.output
    assert file.stat().st_mode & 0o777 == 0o600
    assert json.loads(file.read_text())["user"]["fio"] == NAME
