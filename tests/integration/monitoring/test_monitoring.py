"""Monitoring against a running stack: its figures are those of the outside, and its alerts are right."""

import json
import time

import httpx
import psutil
import pytest

from clickstream.storage.client import Role, connect
from monitoring.drill.drill import Plan, drill_on
from monitoring.drill.scenarios import SCENARIOS
from monitoring.grafana.reading import ROW, Answer, Panel, Span, ask, load_dashboards
from monitoring.prometheus_api import PrometheusApi
from stack.lifecycle import Stack
from stack.services import chosen_services
from stack.supervision import WATCHDOG
from tests.waiting import wait_until

PANELS = [
    pytest.param(name, panel, id=f"{name}-{panel.title}")
    for name, dashboard in load_dashboards().items()
    for panel in dashboard.panels
    if panel.type != ROW
]


def value(api: PrometheusApi, expression: str) -> float:
    [series] = api.at(expression)
    return series.points[0][1]


def test_prometheus_reaches_every_service_that_has_metrics(stack: Stack, api: PrometheusApi) -> None:
    expected = {service.name for service in chosen_services(stack.settings) if service.metrics_path}

    wait_until(lambda: {one.labels["job"] for one in api.at("up == 1")} == expected, "all are reached")


@pytest.mark.parametrize("service", ["api", "clickhouse", "exporter", "generator", "stream_events"])
def test_a_web_page_cannot_point_its_own_name_at_the_metrics(stack: Stack, service: str) -> None:
    [declared] = [one for one in chosen_services(stack.settings) if one.name == service]
    url = f"http://127.0.0.1:{declared.metrics_port(stack.settings)}{declared.metrics_path}"

    answer = httpx.get(url, headers={"Host": "rebound.example"}, trust_env=False)

    assert answer.is_client_error
    assert "# TYPE" not in answer.text
    assert httpx.get(url, headers={"Host": "localhost"}, trust_env=False).is_success


def test_the_ledger_in_the_metrics_is_that_of_the_warehouse(
    stack: Stack, api: PrometheusApi, processed: int
) -> None:
    client = connect(stack.settings.clickhouse, Role.READER)
    fates = ("received", "stored", "duplicate", "quarantined", "pending", "erased")
    [row] = client.query(f"select {', '.join(f'sum({fate})' for fate in fates)} from ledger").result_rows
    client.close()

    def found() -> list[float]:
        return [value(api, f'sum(clickstream_warehouse_ledger_events{{fate="{fate}"}})') for fate in fates]

    wait_until(lambda: found() == list(row), "the metrics are those of the ledger")
    assert found()[1] == processed
    assert value(api, "clickstream_warehouse_unaccounted_events") == 0


def test_requests_in_the_metrics_are_those_that_were_sent(stack: Stack, api: PrometheusApi) -> None:
    expression = 'sum(clickstream_api_requests_total{route="/demo", status="200"}) or vector(0)'
    before = value(api, expression)
    url = f"http://127.0.0.1:{stack.settings.api.port}/demo"
    for _ in range(25):
        httpx.get(url, trust_env=False).raise_for_status()

    wait_until(lambda: value(api, expression) == before + 25, "all requests are counted")


def test_cpu_and_memory_are_those_of_the_operating_system(stack: Stack, api: PrometheusApi) -> None:
    process = psutil.Process(stack.supervisor.processes()["api"].pid)
    memory = process.memory_full_info().pss

    def cpu() -> float:
        times = process.cpu_times()
        return times.user + times.system

    least = cpu()
    wait_until(
        lambda: least <= value(api, 'clickstream_component_cpu_seconds_total{component="api"}') <= cpu(),
        "the CPU time is measured between two looks of ours",
    )
    assert value(api, 'clickstream_component_memory_bytes{component="api"}') == pytest.approx(memory, rel=0.3)


@pytest.mark.usefixtures("processed")
@pytest.mark.parametrize(("name", "panel"), PANELS)
def test_every_panel_has_data_on_a_running_stack(api: PrometheusApi, name: str, panel: Panel) -> None:
    answers: list[Answer] = []

    def has_data() -> bool:
        # The last point lies up to a step back, before what Prometheus has only just seen.
        end = time.time()
        answers[:] = ask(api, panel, Span(end - 900, end, scrape_seconds=5))
        return bool(answers)

    wait_until(has_data, f"{panel.title} of {name} shows something")
    assert len({answer.name for answer in answers}) == len(answers) or panel.type == "table"


def test_every_line_of_every_log_is_json_of_its_service(stack: Stack) -> None:
    """Before the drill: a process that is killed may leave half a line. The supervisor is left out."""
    for service in (*(service.name for service in stack.services), WATCHDOG):
        lines = stack.paths.log_of(service).read_text().splitlines()
        others = [line for line in lines if not _is_line_of(service, line)]
        assert others == [], f"{service} has {len(others)} other lines of {len(lines)}"


def _is_line_of(service: str, line: str) -> bool:
    try:
        fields = json.loads(line)
    except ValueError:
        return False
    # Programs from elsewhere have names of their own for the fields.
    return service in {"prometheus", "node_exporter"} or fields.get("service") == service


def test_the_drill_finds_the_right_alerts_and_no_loss(stack: Stack) -> None:
    """One fault and half a minute of kills; `make drill` runs them all."""
    chosen = tuple(one for one in SCENARIOS if one.name == "stop stream_events")
    said: list[str] = []

    verdict = drill_on(stack, Plan(chosen, kill_seconds=30, seed=1), said.append)

    assert verdict.problems == []
    assert [outcome.problems for outcome in verdict.outcomes] == [[]]
    assert verdict.kills > 0
    assert {"ComponentDown", "StreamLagGrowing"} <= verdict.outcomes[0].fired_after.keys()
