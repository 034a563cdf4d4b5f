"""However a file is cut, shuffled and repeated, the marts equal the answer key."""

import random
from pathlib import Path

import pytest
from clickhouse_connect.driver.client import Client

from clickstream.reasons import ErrorCode
from clickstream.settings import PROJECT_ROOT, get_settings
from clickstream.sources.csv import inspect_csv, open_text, read_records
from clickstream.storage.checks import run_checks
from clickstream.storage.raw import count_pending
from clickstream.verification import compare_with_key, load_key
from tests.integration.etl.pipelines import load, run

SAMPLE_USERS = PROJECT_ROOT / "data" / "sample_users.csv"
SAMPLE = PROJECT_ROOT / "data" / "sample_events.csv"
KEY = load_key(PROJECT_ROOT / "data" / "sample_events.key.json")


def assert_exact(client: Client) -> None:
    """Every view, the ledger and the error codes are as the key says, and every check passes."""
    assert [item for item in compare_with_key(client, KEY) if item.differences] == []
    assert [check.name for check in run_checks(client) if not check.passed] == []
    assert count_pending(client) == 0


def records_of_sample() -> list[bytes]:
    """The records of the sample as they stand in the file; some have several lines."""
    lines = SAMPLE.read_bytes().splitlines(keepends=True)
    file = inspect_csv(SAMPLE)
    with open_text(SAMPLE) as text:
        starts = [record.line - 1 for record in read_records(text, file)]
    return [b"".join(lines[start:end]) for start, end in zip(starts, [*starts[1:], None], strict=True)]


def test_a_file_at_once_gives_the_answer_key(client: Client) -> None:
    load(SAMPLE)
    result = run()

    assert_exact(client)
    counts = result["run"]["counts"]
    assert counts["rows_in"] == counts["stored"] + counts["duplicate"] + counts["quarantined"]


def test_many_batches_on_all_cores_give_the_answer_key(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLICKSTREAM_ETL__BATCH_ROWS", "1000")
    monkeypatch.setenv("CLICKSTREAM_ETL__WORKERS", "2")
    get_settings.cache_clear()
    load(SAMPLE)

    assert run()["batches"] == 4  # Of 3,000 rows, the same number for each worker.
    assert_exact(client)


def test_four_increments_in_shuffled_order_give_the_answer_key(client: Client, tmp_path: Path) -> None:
    header = SAMPLE.read_bytes().split(b"\n", 1)[0] + b"\n"
    *records, open_ended = records_of_sample()
    random.Random(4).shuffle(records)
    for number in range(4):
        part = records[number::4] + ([open_ended] if number == 3 else [])
        path = tmp_path / f"part-{number}.csv"
        path.write_bytes(header + b"".join(part))
        load(path)
        run()

    assert_exact(client)


def test_files_loaded_together_are_processed_together(client: Client, tmp_path: Path) -> None:
    header = SAMPLE.read_bytes().split(b"\n", 1)[0] + b"\n"
    records = records_of_sample()
    for number, part in enumerate((records[1500:], records[:1500])):
        path = tmp_path / f"part-{number}.csv"
        path.write_bytes(header + b"".join(part))
        load(path)
    run()

    assert_exact(client)


def test_the_same_file_again_adds_nothing_and_says_so(client: Client) -> None:
    load(SAMPLE)
    run()
    again = load(SAMPLE)

    assert again["run"]["counts"]["stored"] == 0
    assert "nothing was added" in again["message"]
    assert run()["ranges"] == []
    assert_exact(client)


def test_a_copy_with_another_content_has_only_duplicates(client: Client, tmp_path: Path) -> None:
    load(SAMPLE)
    run()
    first = {
        view: rows_of(client, view) for view in ("daily_active_users", "page_views", "session_durations")
    }
    copy = tmp_path / "copy.csv"
    copy.write_bytes(SAMPLE.read_bytes().replace(b"\n", b"\n\n", 1))
    load(copy)
    result = run()

    assert result["run"]["counts"]["stored"] == 0
    assert {view: rows_of(client, view) for view in first} == first
    assert [check.name for check in run_checks(client) if not check.passed] == []


def test_an_event_repeated_in_the_next_batch_is_stored_once(
    client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLICKSTREAM_ETL__BATCH_ROWS", "1000")
    get_settings.cache_clear()
    header, *lines = [line + b"\n" for line in SAMPLE.read_bytes().split(b"\n")]
    event = next(line for line in lines if line.endswith(b'"\n') and b"shop" in line)
    number = event.split(b",", 1)[0]
    repeated = tmp_path / "repeated.csv"
    # The same 50 ids in each of the batches of 1,000 rows, which are stored one upon another.
    copies = [event.replace(number, str(9_000 + row % 50).encode(), 1) for row in range(6_000)]
    repeated.write_bytes(header + b"".join(copies))
    load(repeated)
    result = run()

    assert result["batches"] == 6
    counts = result["run"]["counts"]
    assert (counts["stored"], counts["duplicate"], counts["quarantined"]) == (50, 5_950, 0)
    assert client.query("select count(), uniqExact(id) from events").result_rows == [(50, 50)]
    assert client.query("select count() from duplicate_events").result_rows == [(5_950,)]
    assert [check.name for check in run_checks(client) if not check.passed] == []


def rows_of(client: Client, view: str) -> list[str]:
    return sorted(map(str, client.query(f"select * from {view}").result_rows))


def test_every_code_that_a_file_of_events_can_carry_is_found(client: Client) -> None:
    load(SAMPLE)
    run()

    def codes(column: str, table: str) -> set[str]:
        rows = client.query(f"select distinct arrayJoin({column}) from {table}").result_rows
        return {code for (code,) in rows}

    of_warnings = {ErrorCode.UNKNOWN_DEVICE_TYPE, ErrorCode.INVALID_IP}
    of_users = {ErrorCode.UNKNOWN_COUNTRY}
    not_in_a_file = {ErrorCode.INVALID_JSON, ErrorCode.NOT_AN_OBJECT, ErrorCode.TOO_LARGE}
    assert codes("reasons", "quarantined_events") == set(ErrorCode) - of_warnings - of_users - not_in_a_file
    assert codes("warnings", "events") == of_warnings | {ErrorCode.TOO_LONG}


@pytest.mark.parametrize("users_come_first", [True, False])
def test_marts_know_the_countries_of_users_whenever_they_come(client: Client, users_come_first: bool) -> None:
    if users_come_first:
        load(SAMPLE_USERS)
    load(SAMPLE)
    run()
    if not users_come_first:
        load(SAMPLE_USERS)
        known = client.query("select uniqExact(country) from segment_users where country != 'unknown'")
        assert known.result_rows[0][0] > 1

    assert_exact(client)


def test_users_that_were_loaded_before_rebuild_nothing(client: Client) -> None:
    load(SAMPLE)
    run()
    assert load(SAMPLE_USERS)["run"]["days"]
    again = load(SAMPLE_USERS)["run"]
    assert (again["days"], again["counts"]["stored"]) == ([], 0)
    assert again["counts"]["duplicate"] == again["counts"]["rows_in"] > 0
