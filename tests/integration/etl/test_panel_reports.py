"""The panel's reports have the numbers of the dashboards' charts, in the same order."""

from datetime import date
from itertools import product
from pathlib import Path
from typing import Any, Final

import pytest
import yaml
from clickhouse_connect.driver.client import Client

from clickstream.storage.sql import load_sql
from tests.integration.etl.pipelines import load, run

ASSETS: Final = Path("superset/assets")
ALWAYS: Final[dict[str, Any]] = {
    "first_date": date(1970, 1, 1),
    "last_date": date(2149, 1, 1),
    "sites": [],
    "device_types": [],
    "countries": [],
}
CHARTS: Final = {
    "pages": "top_pages",
    "sources": "referrers",
    "campaigns": "campaigns",
    "own_fields": "own_field_values",
}
UNFILTERED: Final = ("own_fields",)
HEADER: Final = "type,created_at,session_id,user_id,url,referrer,payload"


def read_asset(kind: str, name: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((ASSETS / kind / f"{name}.yaml").read_text())
    return found


def line(number: int) -> str:
    """An event of one of two sites, seven pages, three origins, two campaigns and two variants."""
    kind = "click" if number % 3 == 0 else "view"
    url = f"https://{'ab'[number % 2]}.example/{number % 7}?utm_source=mail&utm_campaign={number % 4 // 3}"
    referrer = ("", "https://search.example/", "https://news.example/x")[number // 5 % 3]
    element = "html" if number % 4 == 1 else "#a"
    payload = f'""event_title"": ""home"", ""element_id"": ""{element}"", ""x"": 1, ""y"": 2'
    variant = f'""variant"": ""{"AB"[number % 5 // 3]}""'
    at = f"2025-06-0{1 + number % 3}T10:{number % 60:02}:00Z"
    return f'{kind},{at},s-{number // 5},{number // 5 + 1},{url},{referrer},"{{{payload}, {variant}}}"'


@pytest.fixture(scope="module")
def events(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("reports") / "events.csv"
    path.write_text("\n".join([HEADER, *map(line, range(200))]) + "\n")
    return path


FILTERS: Final[dict[str, dict[str, list[str]]]] = {
    "everything": {},
    "a site": {"url_host": ["a.example"]},
    "both sites": {"url_host": ["a.example", "b.example"]},
    "a site that has no events": {"url_host": ["c.example"]},
    "a device": {"device_type": ["mobile"]},
    "a site and a country": {"url_host": ["b.example"], "country": ["unknown"]},
}
WITH_EVENTS: Final = ("everything", "a site", "both sites", "a site and a country")
PARAMETERS: Final = {"url_host": "sites", "device_type": "device_types", "country": "countries"}


def shown_by_chart(client: Client, name: str, filters: dict[str, list[str]]) -> list[tuple[Any, ...]]:
    """The rows of a chart of the dashboards, as Superset asks for them."""
    params = read_asset("charts", name)["params"]
    dataset = read_asset("datasets", read_asset("charts", name)["dataset"])
    metrics = {metric: dataset["metrics"][metric]["expression"] for metric in params["metrics"]}
    groups = ", ".join(params["groupby"])
    columns = ", ".join(f"{expression} as {metric}" for metric, expression in metrics.items())
    conditions = "".join(f" and {column} in {values}" for column, values in filters.items())
    conditions += "".join(
        f" and {item['subject']} != '{item['comparator']}'"
        for item in params["adhoc_filters"]
        if item["operator"] == "!="
    )
    found = client.query(
        f"select {groups}, {columns} from {dataset['table']} where 1{conditions} group by {groups} "
        f"order by {params['timeseries_limit_metric']} desc"
    )
    return [tuple(row) for row in found.result_rows]


@pytest.fixture
def filled(client: Client, events: Path) -> Client:
    load(events)
    run()
    return client


def test_reports_rank_and_count_as_the_charts_of_the_dashboards(filled: Client) -> None:
    for (report, chart), (name, filters) in product(CHARTS.items(), FILTERS.items()):
        if report in UNFILTERED and filters:
            continue
        case = f"{report} of {name}"
        shown = shown_by_chart(filled, chart, filters)
        chosen = {PARAMETERS[column]: values for column, values in filters.items()}
        found = filled.query(load_sql(f"panel/report_{report}"), parameters={**ALWAYS, **chosen}).result_rows

        assert bool(found) is (name in WITH_EVENTS), case
        assert {tuple(row) for row in found} == set(shown), case
        rank = len(read_asset("charts", chart)["params"]["groupby"])
        assert [row[rank] for row in found] == [row[rank] for row in shown], case


def test_elements_of_two_sites_stay_apart_as_on_the_dashboard(filled: Client) -> None:
    for name, filters in FILTERS.items():
        chosen = {PARAMETERS[column]: values for column, values in filters.items()}
        found = filled.query(load_sql("panel/report_elements"), parameters={**ALWAYS, **chosen})
        columns = ("element_id", "url_path", "url_host", "views", "clicks", "conversion_percent")
        rows = {tuple(row[column] for column in columns) for row in found.named_results()}
        assert rows == set(shown_by_chart(filled, "conversion_by_element", filters)), name
