"""The schema: migrations that are applied once, and views that are recreated."""

import hashlib
from datetime import date
from typing import Final

from clickhouse_connect.driver.client import Client

from clickstream.errors import ClickstreamError
from clickstream.settings import ClickHouseSettings
from clickstream.storage.backfill import BACKFILLS
from clickstream.storage.marts import days_between, rebuild_days
from clickstream.storage.sql import list_names, load_sql, split_statements
from clickstream.storage.views import make_views

_MIGRATIONS_TABLE: Final = "schema_migrations"


def migrate(client: Client, settings: ClickHouseSettings) -> list[str]:
    """Brings the database up to date: creates it, applies pending migrations, recreates views and marts.

    The connection uses the database from then on. A migration's statements can be repeated, so one that was
    killed half-way is applied again. One at a time, and not beside `process_events`, whose lock the caller
    holds (`clickstream.etl.upgrade`): marts are built.

    Returns:
        Names of the migrations that were applied now.

    Raises:
        ClickstreamError: A migration that was applied before has been changed since.
    """
    database = {"database": settings.database}
    client.command(
        "create database if not exists {database:Identifier}", parameters=database, use_database=False
    )
    client.database = settings.database
    client.command(load_sql("queries/create_schema_migrations"))
    applied = {
        str(name): str(checksum)
        for name, checksum in client.query(load_sql("queries/applied_migrations")).result_rows
    }
    names = list_names("migrations")
    _refuse_changes(names, applied)
    pending = [name for name in names if name not in applied]
    for name in pending:
        for statement in split_statements(load_sql(f"migrations/{name}")):
            client.command(statement)
        if name in BACKFILLS:
            BACKFILLS[name](client)
    make_views(client)
    if pending:
        # A mart that was recreated is empty; what is recorded as applied has the marts built as well.
        rebuild_days(client, days_between(client, date.min, date.max))
    for name in pending:
        client.insert(_MIGRATIONS_TABLE, [[name, _checksum(name)]], column_names=["name", "checksum"])
    return pending


def _checksum(name: str) -> str:
    return hashlib.sha256(load_sql(f"migrations/{name}").encode()).hexdigest()


def _refuse_changes(names: list[str], applied: dict[str, str]) -> None:
    for name in names:
        if name in applied and applied[name] != _checksum(name):
            raise ClickstreamError(
                f"The migration {name} was changed after it had been applied to this database.",
                hint="Restore warehouse/migrations/ and put the change into a new file.",
            )
