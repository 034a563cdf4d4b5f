"""One stack for all tests of the live generator: broker, API, the generator's service, ClickHouse."""

from collections.abc import Iterator

import httpx
import pytest

from clickstream.settings import Settings
from generator.live_cli import call
from stack.isolated import isolated_stack
from stack.lifecycle import Stack
from tests.integration.generator.topics import Bookmark
from tests.integration.generator.waiting import wait_until_all_is_acknowledged

SERVICES = ("clickhouse", "kafka", "api", "generator")


@pytest.fixture(scope="package")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with isolated_stack(tmp_path_factory.mktemp("live"), SERVICES) as running:
        yield running


@pytest.fixture
def settings(stack: Stack) -> Settings:
    return stack.settings


@pytest.fixture
def bookmark(settings: Settings) -> Bookmark:
    """What the topics hold before the test."""
    return Bookmark(settings.broker)


@pytest.fixture
def control(settings: Settings) -> Iterator[httpx.Client]:
    """The control of the service, which is at rest before the test and after it."""
    generator = settings.generator
    with httpx.Client(base_url=f"http://{generator.host}:{generator.port}", timeout=20) as client:
        yield client
    call(generator, "POST", "/stop")
    wait_until_all_is_acknowledged(generator)
