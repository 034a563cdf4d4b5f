"""The report on a file says of each line what became of it, for this file alone."""

import csv
import io
from pathlib import Path

import pytest
from clickhouse_connect.driver.client import Client

from clickstream.loads.history import PROBLEM_COLUMNS, origin_of, read_loads
from clickstream.loads.report import FileReport, make_report, stream_report, write_user_report
from clickstream.settings import Settings
from clickstream.sources.csv import inspect_csv
from clickstream.storage.raw import is_processed
from tests.integration.etl.pipelines import load, run

HEADER = "id,type,created_at,session_id,user_id,url,ip,payload"
PAYLOAD = '"{""event_title"": ""home"", ""element_id"": ""#a""}"'


def line(event_id: int, url: str = "/", user_id: str = "1", ip: str = "") -> str:
    return f"{event_id},view,2025-01-01T10:00:00Z,s-1,{user_id},{url},{ip},{PAYLOAD}"


def write(path: Path, *lines: str) -> Path:
    path.write_text("\n".join([HEADER, *lines]) + "\n")
    return path


@pytest.fixture
def second_file(settings: Settings, tmp_path: Path) -> Path:
    """A processed file, after another one with some of its ids."""
    first = write(tmp_path / "first.csv", line(1), line(2), line(3, user_id=""))
    second = write(
        tmp_path / "second.csv",
        line(10),
        line(1),
        line(2, url="/other"),
        line(11, ip="nowhere"),
        line(12, user_id="=1+1"),
        line(13, user_id=""),
        line(10),
    )
    for path in (first, second):
        load(path)
    run()
    return second


def report(settings: Settings, path: Path, target: io.StringIO | None = None) -> FileReport:
    return make_report(settings, path.name, inspect_csv(path).sha256, target)


def test_a_report_counts_the_lines_of_its_own_file(settings: Settings, second_file: Path) -> None:
    made = report(settings, second_file)

    counted = (made.load.received, made.load.stored, made.load.duplicate, made.load.quarantined)
    assert counted == (7, 2, 3, 2)
    assert (made.load.same_content, made.load.other_content, made.load.warned) == (2, 1, 1)
    assert {(one.outcome, one.code, one.events, one.lines) for one in made.problems} == {
        ("duplicate with the same content", "", 2, (3, 8)),
        ("duplicate with other content", "", 1, (4,)),
        ("stored without the value", "invalid_ip", 1, (5,)),
        ("refused", "invalid_number", 1, (6,)),
        ("refused", "missing_field", 1, (7,)),
    }


def test_the_csv_names_each_line_and_is_safe_in_a_spreadsheet(
    settings: Settings, client: Client, second_file: Path
) -> None:
    target = io.StringIO(newline="")
    report(settings, second_file, target)

    rows = list(csv.DictReader(io.StringIO(target.getvalue())))
    assert [row["line"] for row in rows] == ["3", "4", "5", "6", "7", "8"]
    assert rows[1]["message"].endswith("which differs in url.")
    assert rows[3]["value"] == "'=1+1"
    warning = rows[2]
    assert (warning["outcome"], warning["code"], warning["value"]) == (
        "stored without the value",
        "invalid_ip",
        "nowhere",
    )
    assert "address" in warning["message"]
    streamed = "".join(stream_report(client, inspect_csv(second_file).sha256))
    assert streamed == "\ufeff" + target.getvalue()


def test_the_history_keeps_what_a_report_found_out(
    settings: Settings, client: Client, second_file: Path
) -> None:
    report(settings, second_file)
    made = report(settings, second_file)

    by_name = {one.name: one for one in read_loads(client, 10)}
    assert by_name["second.csv"] == made.load
    assert not by_name["second.csv"].lacks_report
    assert by_name["first.csv"].other_content is None, "the other file has no report"
    assert by_name["first.csv"].lacks_report


def test_a_file_without_a_problem_has_an_empty_report(settings: Settings, tmp_path: Path) -> None:
    path = write(tmp_path / "good.csv", line(1))
    load(path)
    run()
    target = io.StringIO(newline="")

    made = report(settings, path, target)

    assert made.problems == ()
    assert target.getvalue() == ",".join(PROBLEM_COLUMNS) + "\r\n"


def test_a_file_waits_until_it_is_processed(settings: Settings, client: Client, tmp_path: Path) -> None:
    path = write(tmp_path / "new.csv", line(1), line(2, user_id=""))
    origin = origin_of(inspect_csv(path).sha256)
    load(path)
    assert not is_processed(client, origin)

    run()

    assert is_processed(client, origin)


def test_duplicates_whose_text_was_deleted_are_told_as_such(
    settings: Settings, client: Client, second_file: Path
) -> None:
    client.command("alter table raw_events delete where true settings mutations_sync = 2")
    sha256 = inspect_csv(second_file).sha256

    text = "".join(stream_report(client, sha256))

    outcomes = {row["outcome"] for row in csv.DictReader(io.StringIO(text.removeprefix("\ufeff")))}
    assert outcomes == {"duplicate", "refused", "stored without the value"}


def test_a_file_of_users_is_reported_from_the_file_itself(tmp_path: Path) -> None:
    path = tmp_path / "users.csv"
    path.write_text("id,fio,country\n1,Ann,DE\nx,Bob,DE\n2,,DE\n3,Cid,Narnia\n")
    target = io.StringIO(newline="")

    assert write_user_report(inspect_csv(path), target) == 3

    rows = csv.DictReader(io.StringIO(target.getvalue()))
    assert [(row["line"], row["outcome"], row["code"], row["field"]) for row in rows] == [
        ("3", "refused", "invalid_number", "id"),
        ("4", "refused", "missing_field", "fio"),
        ("5", "stored without the value", "unknown_country", "country"),
    ]
