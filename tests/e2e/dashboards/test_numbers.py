"""Each chart shows what plain Python counts, with and without filters."""

import copy
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

import pytest

from benchmarks.dashboard_page import charts_of
from dashboards.files import Document, read_assets
from tests.e2e.dashboards.conftest import ODD_PAYLOAD, UNTIL
from tests.e2e.dashboards.expected import (
    DEFAULT_DAYS,
    EXPECTED,
    OF_A_PERIOD,
    OF_VISITS,
    Rows,
    Shown,
    as_shown,
    by_own_field,
    daily_visits,
    of_the_period,
)
from tests.e2e.dashboards.superset_client import SupersetClient
from tests.integration.warehouse.recount import Event

ASSETS: Final = read_assets()
RANGE: Final = (UNTIL - timedelta(days=35), UNTIL - timedelta(days=12))
"""Days that a person might choose, both included."""

CHOICES: Final[Mapping[str, list[str]]] = {
    "url_path": ["/catalog", "/cart"],
    "element_id": [".product-card", "#checkout-button", "#hero-banner"],
    "event_title": ["checkout", "open_product"],
    "device_type": ["mobile"],
    "country": ["US", "DE"],
    "url_host": ["shop.example.com"],
    "referrer_host": ["google.com", "(direct)"],
    "field": ["currency", "variant"],
    "value": ["a", "EUR"],
}
"""What is chosen in the filter on a column."""


def reaches(dashboard: Document, item: Document, chart: str) -> bool:
    """Whether a filter of a dashboard is there for a chart."""
    tabs = item.get("tabs") or [""]
    is_on_tab = any(chart in charts_of(dashboard, tab) for tab in tabs)
    return is_on_tab and chart not in item.get("except_charts", [])


def _filters_of(chart: str) -> list[Document]:
    """The filters of its dashboard that a chart answers."""
    return [
        item
        for dashboard in ASSETS.dashboards.values()
        if chart in charts_of(dashboard)
        for item in dashboard["filters"]
        if reaches(dashboard, item, chart)
    ]


def _cases(chart: str) -> list[tuple[dict[str, list[str]], bool]]:
    """What to choose: nothing, each filter alone, all of them; with it whether a range is chosen."""
    filters = _filters_of(chart)
    columns = [item["column"] for item in filters if item["type"] == "select"]
    has_range = any(item["type"] == "time" for item in filters)
    alone: list[tuple[dict[str, list[str]], bool]] = [
        ({column: CHOICES[column]}, False) for column in columns
    ]
    both = {column: CHOICES[column] for column in columns}
    return [({}, False), *alone, *([({}, True)] if has_range else []), (both, has_range)]


def choose(body: Document, chosen: Mapping[str, list[str]], with_range: bool) -> Document:
    """The request as the dashboard sends it once filters are applied, but for all rows, as they are."""
    asked = copy.deepcopy(body)
    asked["force"] = True
    for query in asked["queries"]:
        query["post_processing"] = []
        always = [item for item in query["filters"] if item["col"] == "is_day_over" or item["op"] == "!="]
        filters = [item for item in query["filters"] if item["op"] == "TEMPORAL_RANGE"]
        for item in filters:
            item["val"] = _range_text() if with_range else "No filter"
        filters += always
        query["filters"] = filters + [
            {"col": column, "op": "IN", "val": values} for column, values in chosen.items()
        ]
        if query.get("columns"):
            query["row_limit"] = 10_000
        if "row_offset" in query:
            query["row_offset"] = 0
        # Which of several equal values are the last within a limit is left to the database.
        query.pop("series_limit", None)
    return asked


def _range_text() -> str:
    first, last = RANGE
    return f"{first.isoformat()} : {(last + timedelta(days=1)).isoformat()}"


COUNT_BOTS = {"events_by_source"}
"""Charts of how events arrive, whoever caused them."""


def _shown(chart: str, events: list[Event], chosen: Mapping[str, list[str]], with_range: bool) -> Shown:
    events = [event for event in events if chart in COUNT_BOTS or not event["is_bot"]]
    if chart.startswith("own_field"):
        events = by_own_field(events)
    if chart in OF_VISITS:
        events = daily_visits(events)
    segment = [event for event in events if all(event[column] in values for column, values in chosen.items())]
    last_of_all = max(event["created_at"].date() for event in events)
    first, last = RANGE if with_range else (last_of_all - timedelta(days=DEFAULT_DAYS - 1), last_of_all)
    return Shown(segment, first, last)


def with_values(rows: Rows) -> Rows:
    """Without squares that are there for the axes only, and cells without a value."""
    return [row for row in rows if any(value is not None for name, value in row.items() if _is_value(name))]


def _is_value(name: str) -> bool:
    endings = ("_total", "_percent", "_seconds", "_most")
    return name.endswith(endings) or name in {
        "dau",
        "wau",
        "mau",
        "users",
        "visits",
        "events_per_session",
        "width_px",
    }


@pytest.mark.parametrize("chart", sorted(EXPECTED))
def test_a_chart_shows_what_plain_python_counts(
    asked: dict[str, Any], viewer: SupersetClient, events: list[Event], chart: str
) -> None:
    for chosen, with_range in _cases(chart):
        shown = viewer.chart_data(choose(asked[chart], chosen, with_range))[0]
        expected = EXPECTED[chart](_shown(chart, events, chosen, with_range))
        assert as_shown(with_values(shown)) == as_shown(with_values(expected)), (chosen, with_range)


@pytest.mark.parametrize("with_range", [False, True], ids=["last 30 days", "range"])
@pytest.mark.parametrize("chosen", [{}, {"device_type": ["mobile"]}], ids=["all", "mobile"])
@pytest.mark.parametrize(("chart", "metric"), sorted(OF_A_PERIOD.items()))
def test_a_card_shows_the_figure_of_the_whole_period(
    asked: dict[str, Any],
    viewer: SupersetClient,
    events: list[Event],
    chart: str,
    metric: str,
    chosen: dict[str, list[str]],
    with_range: bool,
) -> None:
    (row,) = viewer.chart_data(choose(asked[chart], chosen, with_range))[1]
    expected = of_the_period(_shown(chart, events, chosen, with_range))[metric]
    assert row[metric] == pytest.approx(expected, rel=1e-9)


def test_a_chart_that_is_asked_for_by_its_number_alone_has_the_same_rows(
    asked: dict[str, Any], viewer: SupersetClient, slugs: dict[int, str]
) -> None:
    for number, slug in slugs.items():
        (answer,) = viewer.result(f"/api/v1/chart/{number}/data/?force=true")
        everything = viewer.chart_data(choose(asked[slug], {}, False))[0]
        alone, all_rows = as_shown(with_values(answer["data"])), as_shown(with_values(everything))
        query = asked[slug]["queries"][0]
        assert alone <= all_rows, slug
        # Which of several equal rows or series are the last within a limit is left to the database.
        if limit := query.get("series_limit"):
            series = query["series_columns"]
            shown = len(_distinct(answer["data"], series))
            assert shown == min(limit, len(_distinct(everything, series))), slug
        elif len(alone) != query.get("row_limit"):
            assert alone == all_rows, slug


def _distinct(rows: Rows, columns: list[str]) -> set[tuple[Any, ...]]:
    return {tuple(row[column] for column in columns) for row in rows}


def test_the_variant_of_a_test_leads_to_its_conversion(
    asked: dict[str, Any], viewer: SupersetClient, events: list[Event]
) -> None:
    """What docs/own-fields.md promises, counted from the payloads as they were sent."""
    rows = viewer.chart_data(choose(asked["own_field_conversion"], {"field": ["variant"]}, False))[0]
    first = max(event["created_at"].date() for event in events) - timedelta(days=DEFAULT_DAYS - 1)
    sent = [event for event in events if event["created_at"].date() >= first and not event["is_bot"]]
    for variant in ("a", "b"):
        kinds = [
            event["type"]
            for event in sent
            if event["own_fields"].get("variant") == variant and event["element_id"] != "html"
        ]
        (row,) = [row for row in rows if row["value"] == variant]
        assert row["conversion_percent"] == pytest.approx(100 * kinds.count("click") / kinds.count("view"))


def test_the_tables_begin_with_the_most_seen(
    asked: dict[str, Any], viewer: SupersetClient, events: list[Event]
) -> None:
    rows = viewer.chart_data(choose(asked["top_pages"], {}, False))[0]
    visits = [row["visits"] for row in rows]
    assert visits == sorted(visits, reverse=True)
    assert len(rows) > 10


def test_every_chart_of_events_has_an_expectation() -> None:
    of_events = {
        chart
        for name, dashboard in ASSETS.dashboards.items()
        if name in {"overview", "page_heatmap"}
        for chart in charts_of(dashboard)
    }
    assert of_events - EXPECTED.keys() == {"complete_through", "unaccounted"}


@pytest.mark.parametrize(
    ("column", "value"),
    [("url_path", "/tab\there"), ("element_id", ODD_PAYLOAD["element_id"]), ("event_title", "line\nbreak")],
)
def test_a_filter_finds_values_with_tabs_and_line_breaks(
    asked: dict[str, Any], viewer: SupersetClient, column: str, value: str
) -> None:
    for chart in ("conversion_by_element", "elements_by_day") if column != "event_title" else ("funnel",):
        found = viewer.chart_data(choose(asked[chart], {column: [value]}, False))[0]
        assert with_values(found), chart


@pytest.mark.parametrize(
    "value", ["\\", "\\' or 1 = 1 -- ", "' or 1 = 1 -- ", "\\') union all select fio from users -- "]
)
@pytest.mark.parametrize("chart", ["top_pages", "daily_active_users", "click_positions"])
def test_the_value_of_a_filter_is_never_taken_for_sql(
    asked: dict[str, Any], viewer: SupersetClient, chart: str, value: str
) -> None:
    column = "device_type"
    assert with_values(viewer.chart_data(choose(asked[chart], {column: [value]}, False))[0]) == []
