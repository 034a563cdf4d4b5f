"""A real engine for the tests of the ETL; each test has its own database."""

import uuid
from collections.abc import Iterator

import pytest
from clickhouse_connect.driver.client import Client

from clickstream.settings import Settings, get_settings
from clickstream.storage.client import Role, connect
from clickstream.storage.migrations import migrate
from stack.isolated import isolated_stack


@pytest.fixture(scope="package")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A stack with ClickHouse alone; `get_settings()` gives its settings."""
    chunks = {"CLICKSTREAM_ETL__CSV_CHUNK_ROWS": "250"}
    with isolated_stack(tmp_path_factory.mktemp("etl"), services=("clickhouse",), overrides=chunks):
        yield


@pytest.fixture
def settings(engine: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Settings]:
    """Settings of an empty, migrated database; processes that the test starts see it as well."""
    monkeypatch.setenv("CLICKSTREAM_CLICKHOUSE__DATABASE", f"test_{uuid.uuid4().hex}")
    get_settings.cache_clear()
    settings = get_settings()
    client = connect(settings.clickhouse, Role.WRITER)
    migrate(client, settings.clickhouse)
    yield settings
    client.command("drop database {name:Identifier}", parameters={"name": settings.clickhouse.database})
    monkeypatch.undo()
    get_settings.cache_clear()


@pytest.fixture
def client(settings: Settings) -> Client:
    """A connection that may write."""
    return connect(settings.clickhouse, Role.WRITER)
