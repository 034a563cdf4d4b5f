"""What the dashboards' user may read: views, and nothing below them."""

from collections.abc import Iterator

import pytest
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import DatabaseError

from clickstream.settings import ClickHouseSettings
from clickstream.storage.client import Role, connect
from clickstream.storage.migrations import migrate
from clickstream.storage.views import SEGMENT_VIEWS, VIEWS
from stack.gateway.access import dashboards_grants
from tests.integration.gateway.gateway_process import DASHBOARDS, GatewayProcess

DATABASE = ClickHouseSettings.model_fields["database"].default
GRANTED = {grant.rpartition(".")[2] for grant in dashboards_grants(DATABASE)}
SEGMENT = "sites = [], device_types = [], countries = []"
ARGUMENTS = {
    "active_users_of": f"{SEGMENT}, first_date = '1970-01-01'",
    "last_full_day_of": "sites = [], pages = [], first_date = '1970-01-01'",
    "session_durations_of": SEGMENT,
    "session_spans_of": SEGMENT,
}


@pytest.fixture(scope="module")
def dashboards(gateway: GatewayProcess, settings: ClickHouseSettings) -> Iterator[Client]:
    """A connection as Superset has it, to the migrated database of the gateway's settings."""
    named = settings.model_copy(update={"database": DATABASE})
    writer = connect(named, Role.WRITER)
    migrate(writer, named)
    yield gateway.client(DASHBOARDS, database=DATABASE, autogenerate_session_id=False)
    writer.command("drop database {name:Identifier}", parameters={"name": DATABASE})


@pytest.mark.parametrize("view", sorted(GRANTED & {*VIEWS, *SEGMENT_VIEWS}))
def test_the_dashboards_user_reads_the_views_of_its_datasets(dashboards: Client, view: str) -> None:
    source = f"{view}({ARGUMENTS[view]})" if view in SEGMENT_VIEWS else view
    assert dashboards.query(f"select count() from {source}").row_count == 1


@pytest.mark.parametrize(
    "query",
    [
        "select body from raw_events",
        "select body from quarantined_events",
        "select fio from users",
        "select ip from events",
        "select user_agent from events",
        "select url from events",
        "select payload from events",
        "select user_id from events",
        "select session_id from events",
        "select replay_of from raw_events",
        "select errors from quarantined_events",
        "select * from schema_migrations",
        "select * from raw_origins",
        "select * from merge('clickstream', '^events$')",
        "select * from view(select fio from users)",
        "select * from loop(clickstream, users)",
        "select * from mergeTreeIndex(clickstream, users)",
        "with ledger as (select fio from users) select * from ledger",
        "select date from ledger where exists (select fio from users)",
        "show create table users",
        "describe table users",
        "insert into users (id, fio, country) values (1, 'A', 'DE')",
        "create view clickstream.mine as select fio from clickstream.users",
        "create temporary table mine as select fio from users",
    ],
)
def test_the_dashboards_user_reads_nothing_below_the_views(dashboards: Client, query: str) -> None:
    with pytest.raises(DatabaseError, match=r"\b(497|164)\b"):
        dashboards.query(query)


def test_the_dashboards_user_sees_no_name_of_another_table(dashboards: Client) -> None:
    rows = dashboards.query("select name from system.tables where database = currentDatabase()").result_rows
    assert {name for (name,) in rows} == GRANTED
