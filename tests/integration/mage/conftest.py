"""One stack with ClickHouse and Mage for the tests of this folder."""

from collections.abc import Iterator

import pytest
from clickhouse_connect.driver.client import Client

from clickstream.mage_api import MageClient
from clickstream.storage.client import Role, connect
from clickstream.storage.migrations import migrate
from stack.isolated import isolated_stack
from stack.lifecycle import Stack
from tests.integration.mage.project_files import project_files


@pytest.fixture(scope="package")
def files_before() -> dict[str, str]:
    """What the project consisted of before Mage ran."""
    return project_files()


@pytest.fixture(scope="package")
def stack(tmp_path_factory: pytest.TempPathFactory, files_before: dict[str, str]) -> Iterator[Stack]:
    """ClickHouse with the warehouse's tables, and Mage."""
    with isolated_stack(tmp_path_factory.mktemp("mage"), services=("clickhouse", "mage")) as stack:
        migrate(connect(stack.settings.clickhouse, Role.WRITER), stack.settings.clickhouse)
        yield stack


@pytest.fixture(scope="package")
def mage(stack: Stack) -> Iterator[MageClient]:
    """The owner's session with Mage."""
    with MageClient(stack.settings.mage) as client:
        yield client


@pytest.fixture(scope="package")
def clickhouse(stack: Stack) -> Client:
    """A connection that may write."""
    return connect(stack.settings.clickhouse, Role.WRITER)
