"""What a dead run left behind in the database is not written during the next one."""

import multiprocessing
from pathlib import Path

import pytest
from clickhouse_connect.driver.client import Client

from clickstream.etl.run_lock import held_lock
from clickstream.settings import Settings
from clickstream.storage.client import Role, connect
from tests.integration.etl.pipelines import load, run, take_steps
from tests.integration.etl.test_exactness import SAMPLE, assert_exact
from tests.waiting import wait_until

SLOW_VIEWS = 4
"""Each makes an insert take 2.5 s longer, the longest sleep that the engine allows."""

RUNNING = (
    "select count() from system.processes "
    "where match(query, {insert:String}) and not match(query, 'system.processes')"
)


def make_inserts_slow(client: Client, table: str) -> None:
    for number in range(SLOW_VIEWS):
        client.command(
            f"create materialized view slow_{number} engine = Null as "
            f"select sleep(2.5) as slept from {table} limit 1"
        )


def make_inserts_fast(client: Client) -> None:
    for number in range(SLOW_VIEWS):
        client.command(f"drop table slow_{number}")


def is_running(client: Client, table: str) -> bool:
    # "events" is the end of other tables' names as well.
    insert = rf"(?i)insert\s+into\s+\W?(\w+\W+)?{table}\b"
    return bool(client.query(RUNNING, parameters={"insert": insert}).result_rows[0][0])


@pytest.mark.parametrize(
    "table",
    [
        "raw_events",
        "quarantined_events",
        "events",
        "duplicate_events",
        "element_days_staging",
        "active_user_days_staging",
    ],
)
def test_an_insert_of_ten_seconds_whose_client_was_killed_is_neither_lost_nor_doubled(
    client: Client, settings: Settings, tmp_path: Path, table: str
) -> None:
    is_load = table == "raw_events"
    if not is_load:
        load(SAMPLE)
    make_inserts_slow(client, table)
    fork = multiprocessing.get_context("fork")
    arguments = (lambda _step: None, tmp_path / "manifest.json", SAMPLE if is_load else None)
    process = fork.Process(target=take_steps, args=arguments)
    process.start()
    wait_until(lambda: is_running(client, table), "the insert runs")
    process.kill()
    process.join()
    assert is_running(client, table), "the database goes on with it"
    make_inserts_fast(client)

    if is_load:
        load(SAMPLE)
    run()

    assert not is_running(client, table)
    assert_exact(client)


def test_the_next_holder_of_a_lock_waits_for_what_a_failed_one_left_running(
    client: Client, settings: Settings
) -> None:
    impatient = connect(settings.clickhouse, Role.WRITER, answer_timeout_seconds=1)
    client.command("create table slow (n UInt64) engine = MergeTree order by n")
    statement = (
        "insert into slow select sleepEachRow(0.5) + number from numbers(6) settings max_block_size = 1"
    )

    with pytest.raises(Exception, match="HTTP"), held_lock(impatient, settings.etl_locks, "slow"):
        impatient.command(statement)
    assert is_running(client, "slow"), "the client lost its patience, the database did not"

    with held_lock(client, settings.etl_locks, "slow"):
        assert not is_running(client, "slow")


def test_a_lock_that_ended_well_is_taken_without_asking_the_database(settings: Settings) -> None:
    client = connect(settings.clickhouse, Role.WRITER)
    with held_lock(client, settings.etl_locks, "good"):
        pass

    assert (settings.etl_locks / "good.lock").read_bytes() == b""
