from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import yaml
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import DatabaseError

from clickstream.errors import ClickstreamError
from clickstream.etl.upgrade import upgrade_warehouse
from clickstream.settings import ClickHouseSettings, get_settings
from clickstream.storage.client import Role, connect
from clickstream.storage.events import insert_events
from clickstream.storage.marts import MARTS, SUMMARIES
from clickstream.storage.migrations import migrate
from clickstream.storage.sql import WAREHOUSE_PATH, list_names, load_sql, split_statements
from clickstream.storage.views import VIEWS, read_view
from tests.integration.warehouse.rows import event_rows


def _tables(client: Client) -> set[str]:
    return {name for (name,) in client.query("show tables").result_rows}


def test_makes_the_database_and_applies_every_migration_once(new_settings: ClickHouseSettings) -> None:
    client = connect(new_settings, Role.WRITER)
    assert migrate(client, new_settings) == list_names("migrations")
    assert migrate(client, new_settings) == []
    assert set(VIEWS) <= _tables(client)


def test_every_statement_of_a_migration_can_be_repeated(client: Client) -> None:
    for name in list_names("migrations"):
        for statement in split_statements(load_sql(f"migrations/{name}")):
            client.command(statement)


def test_two_that_upgrade_at_once_do_no_harm(new_settings: ClickHouseSettings, tmp_path: Path) -> None:
    stack = get_settings().stack.model_copy(update={"data_dir": tmp_path})
    settings = get_settings().model_copy(update={"clickhouse": new_settings, "stack": stack})
    with ThreadPoolExecutor() as pool:
        applied = [name for names in pool.map(upgrade_warehouse, [settings] * 2) for name in names]
    assert applied == list_names("migrations")
    client = connect(new_settings, Role.WRITER)
    assert migrate(client, new_settings) == []
    assert all(read_view(client, name).num_rows == 0 for name in VIEWS)


def test_a_mart_that_a_migration_recreates_is_built_before_the_migration_counts_as_applied(
    new_settings: ClickHouseSettings,
) -> None:
    client = connect(new_settings, Role.WRITER)
    migrate(client, new_settings)
    insert_events(client, event_rows([{"type": "click", "x": 30, "y": 50}]))
    name = "0025_click_sites"
    client.command(
        "alter table schema_migrations delete where name = {name:String}",
        parameters={"name": name},
        settings={"mutations_sync": 1},
    )
    assert migrate(client, new_settings) == [name]
    assert read_view(client, "click_positions").num_rows == 1


def test_events_that_were_stored_before_are_brought_to_the_rules_of_today(
    new_settings: ClickHouseSettings,
) -> None:
    client = connect(new_settings, Role.WRITER)
    migrate(client, new_settings)
    bot = "Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)"
    insert_events(
        client,
        event_rows(
            [
                {"user_agent": bot},
                {"user_agent": "Mozilla/5.0 (X11; Linux x86_64) Firefox/128.0", "url_path": "/%D0%BA%2f"},
                {"url_path": "/100%"},
            ]
        ),
    )
    client.command(
        "alter table schema_migrations delete where name = '0010_bots'", settings={"mutations_sync": 1}
    )

    assert migrate(client, new_settings) == ["0010_bots"]

    stored = client.query("select is_bot, bot_name, url_path from events order by id").result_rows
    assert stored == [(True, "BingBot", "/"), (False, "", "/к%2F"), (False, "", "/100%")]
    assert read_view(client, "bot_traffic").num_rows == 1
    assert read_view(client, "page_views")["url_path"].to_pylist().count("/") == 0


def test_refuses_a_migration_that_was_changed_after_it_was_applied(
    new_settings: ClickHouseSettings,
) -> None:
    client = connect(new_settings, Role.WRITER)
    migrate(client, new_settings)
    client.command(
        "alter table schema_migrations update checksum = 'x' where name = '0001_raw'",
        settings={"mutations_sync": 1},
    )
    with pytest.raises(ClickstreamError, match="0001_raw was changed after"):
        migrate(client, new_settings)


def test_every_table_and_every_column_has_a_comment(client: Client) -> None:
    parameters = {"database": client.database}
    uncommented = client.query(
        "select table, name from system.columns where database = {database:String} and comment = ''",
        parameters=parameters,
    ).result_rows
    assert uncommented == []
    bare_tables = client.query(
        "select name from system.tables "
        "where database = {database:String} and comment = '' and engine != 'View'",
        parameters=parameters,
    ).result_rows
    assert bare_tables == []


@pytest.mark.parametrize(
    ("folder", "name"),
    [
        *(("marts", name) for name in MARTS),
        *(("summaries", name) for name in SUMMARIES),
        *(("views", name) for name in VIEWS),
    ],
)
def test_descriptions_name_every_column_as_the_database_does(client: Client, folder: str, name: str) -> None:
    described = yaml.safe_load((WAREHOUSE_PATH / folder / f"{name}.yml").read_text(encoding="utf-8"))
    columns = client.query(
        "select name, comment from system.columns "
        "where database = {database:String} and table = {table:String} order by position",
        parameters={"database": client.database, "table": name},
    ).result_rows
    assert list(described["columns"].items()) == columns
    assert described["grain"].startswith(("One row per ", "One row: "))


@pytest.mark.parametrize("name", [*MARTS, *SUMMARIES])
def test_a_table_is_made_as_its_staging_table_is(client: Client, name: str) -> None:
    columns = (
        "select name, type, position from system.columns where database = {database:String} and table = "
    )
    table, staging = (
        client.query(columns + "{table:String}", parameters={"database": client.database, "table": made})
        for made in (name, f"{name}_staging")
    )
    assert table.result_rows == staging.result_rows


def test_the_reading_user_reads_views_and_writes_nothing(
    client: Client, settings: ClickHouseSettings
) -> None:
    reader = connect(settings, Role.READER)
    assert read_view(reader, "ledger").num_rows == 0
    with pytest.raises(DatabaseError, match="READONLY"):
        reader.command("insert into users (id, fio, country) values (1, 'A', 'DE')")


def test_a_wrong_password_is_called_one(settings: ClickHouseSettings) -> None:
    wrong = settings.model_copy(update={"writer_password": settings.reader_password})
    with pytest.raises(ClickstreamError, match="refuses the name or the password of clickstream_writer"):
        connect(wrong, Role.WRITER)
