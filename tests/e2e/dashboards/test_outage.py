"""The one connection that Superset keeps to ClickHouse outlives what is at its other end."""

import httpx

from tests.e2e.dashboards.superset_client import SupersetClient
from tests.e2e.dashboards.superset_stack import Superset
from tests.waiting import wait_until


def test_charts_are_there_again_once_clickhouse_is(
    superset: Superset, admin: SupersetClient, viewer: SupersetClient
) -> None:
    query = {
        "datasource": {"id": admin.dataset_id("segment_activity"), "type": "table"},
        "queries": [{"columns": [], "metrics": ["views_total"]}],
        "force": True,
    }

    def answer() -> httpx.Response:
        return viewer.post_chart_data(query)

    def status() -> int:
        return answer().status_code

    supervisor = superset.stack.supervisor
    assert status() == httpx.codes.OK
    supervisor.stop_process("clickhouse")
    wait_until(lambda: supervisor.processes()["clickhouse"].pid == 0, "ClickHouse is stopped")
    try:
        away = answer()
        assert away.status_code != httpx.codes.OK
        assert "The database does not answer" in away.text
        assert "HTTPConnectionPool" not in away.text
    finally:
        supervisor.start_process("clickhouse")
    wait_until(lambda: status() == httpx.codes.OK, "charts are there again")
