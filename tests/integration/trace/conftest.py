"""A real engine, and in it one story: what was received, processed, replayed and is still waiting."""

import uuid
from collections.abc import Iterator

import pytest
from clickhouse_connect.driver.client import Client

from clickstream.settings import get_settings
from clickstream.storage.client import Role, connect
from clickstream.storage.migrations import migrate
from stack.isolated import isolated_stack
from tests.integration.trace import story


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """A connection to the database in which the story has happened; `get_settings()` leads to it too."""
    database = {"CLICKSTREAM_CLICKHOUSE__DATABASE": f"test_{uuid.uuid4().hex}"}
    with isolated_stack(tmp_path_factory.mktemp("trace"), ("clickhouse",), database):
        settings = get_settings()
        client = connect(settings.clickhouse, Role.WRITER)
        migrate(client, settings.clickhouse)
        story.happen(client)
        yield client
