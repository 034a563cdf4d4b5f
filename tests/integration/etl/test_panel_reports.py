"""The panel's reports have the numbers of the dashboards' charts, in the same order."""

from datetime import date
from pathlib import Path
from typing import Any, Final

import pytest
import yaml
from clickhouse_connect.driver.client import Client

from clickstream.storage.sql import load_sql
from tests.integration.etl.pipelines import load, run

ASSETS: Final = Path("superset/assets")
ALWAYS: Final = {"first_date": date(1970, 1, 1), "last_date": date(2149, 1, 1)}
CHARTS: Final = {
    "pages": "top_pages",
    "sources": "referrers",
    "campaigns": "campaigns",
    "own_fields": "own_field_values",
}
HEADER: Final = "type,created_at,session_id,user_id,url,referrer,payload"


def read_asset(kind: str, name: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((ASSETS / kind / f"{name}.yaml").read_text())
    return found


def line(number: int) -> str:
    """An event of one of two sites, seven pages, three origins, two campaigns and two variants."""
    kind = "click" if number % 3 == 0 else "view"
    url = f"https://{'ab'[number % 2]}.example/{number % 7}?utm_source=mail&utm_campaign={number % 4 // 3}"
    referrer = ("", "https://search.example/", "https://news.example/x")[number // 5 % 3]
    payload = '""event_title"": ""home"", ""element_id"": ""#a"", ""x"": 1, ""y"": 2'
    variant = f'""variant"": ""{"AB"[number % 5 // 3]}""'
    at = f"2025-06-0{1 + number % 3}T10:{number % 60:02}:00Z"
    return f'{kind},{at},s-{number // 5},{number // 5 + 1},{url},{referrer},"{{{payload}, {variant}}}"'


@pytest.fixture(scope="module")
def events(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("reports") / "events.csv"
    path.write_text("\n".join([HEADER, *map(line, range(200))]) + "\n")
    return path


def test_reports_rank_and_count_as_the_charts_of_the_dashboards(client: Client, events: Path) -> None:
    load(events)
    run()

    for report, chart_name in CHARTS.items():
        params = read_asset("charts", chart_name)["params"]
        dataset = read_asset("datasets", read_asset("charts", chart_name)["dataset"])
        metrics = {name: dataset["metrics"][name]["expression"] for name in params["metrics"]}
        groups = ", ".join(params["groupby"])
        columns = ", ".join(f"{expression} as {name}" for name, expression in metrics.items())
        ranked_by = params["timeseries_limit_metric"]
        shown = client.query(
            f"select {groups}, {columns} from {dataset['table']} group by {groups} order by {ranked_by} desc"
        )
        found = client.query(
            load_sql(f"panel/report_{report}"), parameters={**ALWAYS, "device_types": [], "countries": []}
        )

        assert len(found.result_rows) > 1, report
        assert set(found.result_rows) == set(shown.result_rows), report
        rank = len(params["groupby"])
        assert [row[rank] for row in found.result_rows] == [row[rank] for row in shown.result_rows], report
