"""One stack with the real Kafka, ClickHouse and the API; a test that breaks something repairs it."""

from collections.abc import Iterator

import pytest

from clickstream.storage.client import Role, connect
from clickstream.storage.migrations import migrate
from stack.isolated import isolated_stack
from tests.integration.api.service import ApiStack

SETTINGS = {
    "CLICKSTREAM_API__MAX_BODY_BYTES": "200000",
    "CLICKSTREAM_API__MAX_EXPANDED_BYTES": "1000000",
    "CLICKSTREAM_API__MAX_EVENTS": "500",
    "CLICKSTREAM_API__CORS_ORIGINS": "https://shop.example",
    "CLICKSTREAM_API__TRUSTED_PROXIES": "127.0.0.1",
}


@pytest.fixture(scope="package")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiStack]:
    with isolated_stack(tmp_path_factory.mktemp("api"), ("api", "clickhouse"), SETTINGS) as stack:
        migrate(connect(stack.settings.clickhouse, Role.WRITER), stack.settings.clickhouse)
        running = ApiStack(stack)
        with running.client:
            yield running
