from dataclasses import replace
from datetime import date

import pyarrow as pa
from clickhouse_connect.driver.client import Client

from clickstream.storage.runs import (
    ExpectationRecord,
    RunRecord,
    RunStatus,
    last_runs,
    record_expectations,
    record_run,
)
from clickstream.storage.users import USERS_SCHEMA, insert_users
from tests.integration.warehouse.rows import START, after

RUN = RunRecord("run-1", "process_events", RunStatus.RUNNING, START)


def test_a_run_is_what_was_noted_of_it_last(client: Client) -> None:
    record_run(client, RUN)
    ended = replace(
        RUN,
        status=RunStatus.SUCCEEDED,
        finished_at=after(seconds=1.5),
        rows_in=10,
        quarantined_by_code={"too_long": 2},
        warned=1,
        warned_by_code={"invalid_ip": 1},
        days_rebuilt=(date(2026, 3, 1), date(1970, 1, 1)),
        seconds=1.5,
        message="it's done",
    )
    record_run(client, ended)
    assert last_runs(client, 10) == [ended]


def test_the_latest_runs_come_first(client: Client) -> None:
    for number in range(3):
        pipeline = "load_csv" if number == 1 else "process_events"
        record_run(
            client, replace(RUN, run_id=f"run-{number}", pipeline=pipeline, started_at=after(days=number))
        )
    assert [run.run_id for run in last_runs(client, 2)] == ["run-2", "run-1"]
    assert [run.run_id for run in last_runs(client, 9, "process_events")] == ["run-2", "run-0"]


def test_results_of_expectations_are_kept(client: Client) -> None:
    result = ExpectationRecord(
        "run-1", START, "row", "not_null", "type", "missing_field", "error", False, 9, 1, "1 null"
    )
    record_expectations(client, [result])
    rows = client.query("select run_id, success, unexpected, observed from expectation_results").result_rows
    assert rows == [("run-1", False, 1, "1 null")]


def test_a_user_written_again_is_replaced(client: Client) -> None:
    for fio in ("Анна Иванова", "Анна Петрова"):
        insert_users(client, pa.table({"id": [1], "fio": [fio], "country": ["RU"]}).cast(USERS_SCHEMA))
    assert client.query("select id, fio, country from users final").result_rows == [(1, "Анна Петрова", "RU")]
