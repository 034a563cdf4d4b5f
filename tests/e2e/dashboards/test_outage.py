"""The one connection that Superset keeps to ClickHouse outlives what is at its other end."""

import httpx

from tests.e2e.dashboards.superset_client import SupersetClient
from tests.e2e.dashboards.superset_stack import Superset
from tests.waiting import wait_until


def test_charts_are_there_again_once_clickhouse_is(
    superset: Superset, admin: SupersetClient, viewer: SupersetClient
) -> None:
    rows = {"label": "rows", "expressionType": "SQL", "sqlExpression": "count()"}
    query = {
        "datasource": {"id": admin.dataset_id("page_views"), "type": "table"},
        "queries": [{"columns": [], "metrics": [rows]}],
        "force": True,
    }

    def status() -> int:
        return viewer.post_chart_data(query).status_code

    supervisor = superset.stack.supervisor
    assert status() == httpx.codes.OK
    supervisor.stop_process("clickhouse")
    wait_until(lambda: supervisor.processes()["clickhouse"].pid == 0, "ClickHouse is stopped")
    try:
        assert status() != httpx.codes.OK
    finally:
        supervisor.start_process("clickhouse")
    wait_until(lambda: status() == httpx.codes.OK, "charts are there again")
