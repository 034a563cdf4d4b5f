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


@pytest.fixture(scope="session")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GatewayProcess]:
    """The engine that the tests of the warehouse share."""
    running = gateway_process.start(tmp_path_factory.mktemp("warehouse"))
    yield running
    running.stop()


@pytest.fixture
def settings(gateway: GatewayProcess) -> ClickHouseSettings:
    """Settings of a database that is not there yet."""
    return ClickHouseSettings(
        port=gateway.port,
        database=f"test_{uuid.uuid4().hex}",
        writer_user=WRITER[0],
        writer_password=SecretStr(WRITER[1]),
        reader_user=READER[0],
        reader_password=SecretStr(READER[1]),
    )


@pytest.fixture
def client(settings: ClickHouseSettings) -> Iterator[Client]:
    """A writing connection to a database of the test's own, migrated and empty."""
    connection = connect(settings, Role.WRITER)
    migrate(connection, settings)
    yield connection
    connection.command("drop database {name:Identifier}", parameters={"name": settings.database})
    connection.close()
