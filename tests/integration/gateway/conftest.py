from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.gateway import gateway_process
from tests.integration.gateway.gateway_process import GatewayProcess


@pytest.fixture(scope="package")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GatewayProcess]:
    """A gateway that all tests share; each test uses its own table or session."""
    running = gateway_process.start(tmp_path_factory.mktemp("gateway"))
    yield running
    running.stop()


@pytest.fixture
def own_gateway(tmp_path: Path) -> Iterator[GatewayProcess]:
    """A gateway that the test may stop or kill."""
    running = gateway_process.start(tmp_path)
    yield running
    if running.process.poll() is None:
        running.kill()


@pytest.fixture
def table(gateway: GatewayProcess, request: pytest.FixtureRequest) -> Iterator[str]:
    """An empty table of an id and a text."""
    name = f"default.t_{abs(hash(request.node.nodeid))}"
    gateway.post(
        f"create table {name} (id UInt64, s String default 'x') engine = MergeTree order by id "
        "settings non_replicated_deduplication_window = 100"
    ).raise_for_status()
    yield name
    gateway.post(f"drop table {name}")
