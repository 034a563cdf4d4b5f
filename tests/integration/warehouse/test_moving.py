"""Tables move to another database as docs/docker.md moves them: `select *` to `insert`, format Native."""

import re
from datetime import date

import pytest
from clickhouse_connect.driver.client import Client

from clickstream.settings import PROJECT_ROOT, ClickHouseSettings
from clickstream.storage.client import Role, connect
from clickstream.storage.events import insert_duplicates, insert_events
from clickstream.storage.marts import MARTS, SUMMARIES, days_between, rebuild_days
from clickstream.storage.migrations import migrate
from clickstream.storage.quarantine import insert_quarantined, mark_replayed
from clickstream.storage.raw import insert_raw
from clickstream.storage.views import VIEWS, read_view
from tests.integration.gateway.gateway_process import GatewayProcess
from tests.integration.warehouse.rows import (
    START,
    after,
    duplicate_rows,
    event_rows,
    quarantined_rows,
    raw_rows,
)

MADE_AGAIN = {*MARTS, *SUMMARIES, *(f"{name}_staging" for name in (*MARTS, *SUMMARIES)), "schema_migrations"}


def moved_tables() -> list[str]:
    """The tables that the page copies."""
    text = (PROJECT_ROOT / "docs" / "docker.md").read_text().replace("\\\n", " ")
    [names] = re.findall(r"for table in ([\w ]+); do", text)
    return str(names).split()


@pytest.fixture
def filled(client: Client) -> Client:
    """A database with rows of every fate, and their marts."""
    payload = '{"a.b": 1, "nested": {"list": [1, "two", null]}, "плата": 2.5}'
    events = [
        {
            "offset": number,
            "created_at": after(hours=9 * number),
            "payload": payload,
            "own_fields": [("k", "v")],
        }
        for number in range(20)
    ]
    insert_raw(client, raw_rows({"offset": number} for number in range(25)), "moved")
    insert_events(client, event_rows(events))
    insert_duplicates(client, duplicate_rows({"id": 1, "offset": 20 + number} for number in range(3)))
    refused = quarantined_rows({"offset": 23 + number} for number in range(2))
    insert_quarantined(client, refused)
    mark_replayed(client, refused.slice(0, 1), START)
    rebuild_days(client, days_between(client, date.min, date.max))
    return client


def test_the_page_moves_every_table_that_cannot_be_made_again(client: Client) -> None:
    rows = client.query(
        "select name from system.tables where database = {name:String} and engine not like '%View'",
        parameters={"name": client.database},
    ).result_rows

    assert {name for (name,) in rows} - MADE_AGAIN == set(moved_tables())


def test_a_moved_database_shows_the_same(
    filled: Client, gateway: GatewayProcess, new_settings: ClickHouseSettings
) -> None:
    target = connect(new_settings, Role.WRITER)
    migrate(target, new_settings)

    for table in moved_tables():
        rows = gateway.post(f"select * from {filled.database}.{table} format Native")
        rows.raise_for_status()
        statement = f"insert into {target.database}.{table} format Native\n".encode()
        gateway.post(statement + rows.content).raise_for_status()
    rebuild_days(target, days_between(target, date.min, date.max))

    for view in VIEWS:
        before, moved = (sorted(map(str, read_view(one, view).to_pylist())) for one in (filled, target))
        assert moved == before, view
    payloads = [
        one.query("select toString(payload) from events order by id").result_rows for one in (filled, target)
    ]
    assert payloads[0] == payloads[1]
    assert len(payloads[0]) == 20
