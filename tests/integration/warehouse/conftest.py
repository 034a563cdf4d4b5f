import uuid
from collections.abc import Iterator

import pytest
from clickhouse_connect.driver.client import Client
from pydantic import SecretStr

from clickstream.settings import ClickHouseSettings
from clickstream.storage.client import Role, connect
from clickstream.storage.migrations import migrate
from tests.integration.gateway import gateway_process
from tests.integration.gateway.gateway_process import READER, WRITER, GatewayProcess


@pytest.fixture(scope="package")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GatewayProcess]:
    """The engine that the tests of the warehouse share."""
    running = gateway_process.start(tmp_path_factory.mktemp("warehouse"))
    yield running
    running.stop()


def _settings(gateway: GatewayProcess) -> ClickHouseSettings:
    return ClickHouseSettings(
        port=gateway.port,
        database=f"test_{uuid.uuid4().hex}",
        writer_user=WRITER[0],
        writer_password=SecretStr(WRITER[1]),
        reader_user=READER[0],
        reader_password=SecretStr(READER[1]),
    )


@pytest.fixture
def new_settings(gateway: GatewayProcess) -> ClickHouseSettings:
    """Settings of a database that is not there yet."""
    return _settings(gateway)


@pytest.fixture(scope="package")
def settings(gateway: GatewayProcess) -> ClickHouseSettings:
    """Settings of the database of `client`."""
    return _settings(gateway)


@pytest.fixture(scope="package")
def _connection(settings: ClickHouseSettings) -> Client:
    connection = connect(settings, Role.WRITER)
    migrate(connection, settings)
    return connection


@pytest.fixture
def client(_connection: Client) -> Iterator[Client]:
    """A writing connection to a migrated database in which no table has a row."""
    yield _connection
    filled = _connection.query(
        "select name from system.tables where database = {name:String} and total_rows > 0 "
        "and name != 'schema_migrations'",
        parameters={"name": _connection.database},
    ).result_rows
    for (table,) in filled:
        _connection.command("truncate table {table:Identifier}", parameters={"table": table})
