"""One whole stack with its monitoring, and events that flow through it."""

from collections.abc import Iterator

import pytest

from clickstream.cli.runs import process_pending
from monitoring.drill.drill import RATE_PER_SECOND, drill_stack
from monitoring.drill.flow import Flow
from monitoring.prometheus_api import PrometheusApi
from stack.lifecycle import Stack
from tests.waiting import wait_until


@pytest.fixture(scope="package")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with drill_stack(tmp_path_factory.mktemp("monitoring")) as running:
        yield running


@pytest.fixture(scope="package")
def api(stack: Stack) -> Iterator[PrometheusApi]:
    client = PrometheusApi.of(stack.settings.monitoring)
    yield client
    client.close()


@pytest.fixture(scope="package")
def processed(stack: Stack, api: PrometheusApi) -> Flow:
    """A flow that has ended, and whose events are in the marts; Prometheus has seen them."""
    flow = Flow(stack.settings, RATE_PER_SECOND, seed=3)
    flow.start()
    wait_until(lambda: flow.acknowledged()[0] >= 1_000, "1,000 events are acknowledged", 120)
    assert flow.end(60)
    events = flow.acknowledged()[0]

    def is_in_the_marts() -> bool:
        process_pending(stack.settings)
        received = api.at('sum(clickstream_warehouse_ledger_events{fate="received"})')
        pending = api.at("clickstream_warehouse_pending_events")
        values = [series.points[0][1] for series in (*received, *pending)]
        return len(values) == 2 and values[0] >= events and values[1] == 0

    wait_until(is_in_the_marts, "all is in the marts and seen by Prometheus", 180)
    return flow
