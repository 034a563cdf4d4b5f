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
def processed(stack: Stack, api: PrometheusApi) -> int:
    """Two flows have ended and are in the marts and in Prometheus; how many valid events there are.

    Two, because Prometheus sees an increase only where a counter was there before.
    """
    return sum(flow_and_process(stack, api, seed) for seed in (3, 4))


def flow_and_process(stack: Stack, api: PrometheusApi, seed: int) -> int:
    """Sends some events and processes them; how many valid ones there were."""
    before, runs_before = received(api), successful_runs(api)
    flow = Flow(stack.settings, RATE_PER_SECOND, seed)
    flow.start()
    wait_until(lambda: flow.acknowledged()[0] >= 500, "500 events are acknowledged", 120)
    assert flow.end(60)
    events, valid = flow.acknowledged()

    def is_in_the_marts() -> bool:
        process_pending(stack.settings)
        pending = api.at("clickstream_warehouse_pending_events")
        is_processed = bool(pending) and pending[0].points[0][1] == 0
        return is_processed and received(api) >= before + events and successful_runs(api) > runs_before

    # Prometheus sees a run only once the exporter has looked, which rests for up to two minutes.
    wait_until(is_in_the_marts, "all is in the marts and seen by Prometheus", 360)
    return valid


def received(api: PrometheusApi) -> float:
    """How many events the ledger counts, as Prometheus knows it."""
    [series] = api.at('sum(clickstream_warehouse_ledger_events{fate="received"}) or vector(0)')
    return series.points[0][1]


def successful_runs(api: PrometheusApi) -> float:
    """How many runs of process_events have succeeded, as Prometheus knows it."""
    runs = 'clickstream_etl_runs_total{pipeline="process_events", status="succeeded"}'
    [series] = api.at(f"sum({runs}) or vector(0)")
    return series.points[0][1]
