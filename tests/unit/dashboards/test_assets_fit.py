"""The dashboards and the warehouse fit together: nothing is named that is not there, nothing is forgotten."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from clickstream.storage.views import VIEWS
from dashboards.files import Document, read_assets
from dashboards.layout import nodes
from dashboards.warehouse import tables

ASSETS = read_assets()
NOT_TO_BE_SHOWN = {
    *("raw_origins", "pending_origins"),
    *("device_types", "element_activity", "click_positions"),
}
"""Views for the pipelines alone, and those instead of which charts read views that know all filters."""

NOT_TODAY = re.compile(r"where date <= \(\s+select last_date\s+from last_full_day_of\(")
"""How the query of a dataset leaves out the day that is not over."""

TIME_AXES = {"date", "hour", "received_date", "checked_at", "hour_of_day"}


def _columns(dataset: Document) -> set[str]:
    of_view = tables()[dataset["table"]].columns if dataset["table"] in tables() else ()
    return {*of_view, *dataset.get("columns", {})}


def _named(params: Document) -> Iterator[str]:
    """What the settings of a chart name: columns and metrics."""
    for key in ("metrics", "groupby", "all_columns"):
        value = params.get(key, [])
        yield from [value] if isinstance(value, str) else value
    yield from (
        params[key] for key in ("metric", "x_axis", "timeseries_limit_metric", "x_axis_sort") if key in params
    )
    yield from (item["subject"] for item in params.get("adhoc_filters", []) if "subject" in item)
    yield from re.findall(r'"(\w+)"', " ".join(params.get("order_by_cols", [])))


def _charts(dashboard: Document) -> list[str]:
    return [node["chart"] for node in nodes(dashboard["layout"]) if "chart" in node]


@pytest.mark.parametrize("slug", sorted(ASSETS.charts))
def test_a_chart_names_columns_and_metrics_of_its_dataset(slug: str) -> None:
    chart = ASSETS.charts[slug]
    dataset = ASSETS.datasets[chart["dataset"]]
    assert set(_named(chart["params"])) <= _columns(dataset) | dataset.get("metrics", {}).keys()


@pytest.mark.parametrize("slug", sorted(ASSETS.datasets))
def test_a_dataset_selects_every_column_of_its_view(slug: str) -> None:
    dataset = ASSETS.datasets[slug]
    hidden = {
        name for name, column in dataset.get("columns", {}).items() if not column.get("is_active", True)
    }
    own = {name for name, column in dataset.get("columns", {}).items() if "expression" in column}
    words = set(re.findall(r"\w+", dataset.get("sql", "")))
    assert "sql" not in dataset or _columns(dataset) - hidden - own <= words


def test_every_view_is_shown_by_a_chart() -> None:
    used = [ASSETS.datasets[chart["dataset"]] for chart in ASSETS.charts.values()]
    read = {
        name
        for dataset in used
        for name in re.findall(r"\b(?:from|join) (\w+)", dataset.get("sql", f"from {dataset['table']}"))
    }
    assert set(VIEWS) - read == NOT_TO_BE_SHOWN


def test_every_dataset_and_every_metric_is_used() -> None:
    for slug, dataset in ASSETS.datasets.items():
        named = {
            name
            for chart in ASSETS.charts.values()
            if chart["dataset"] == slug
            for name in _named(chart["params"])
        }
        sorting = {
            item.get("sortMetric")
            for name in ASSETS.dashboards
            for item in ASSETS.dashboards[name]["filters"]
        }
        assert named, slug
        assert set(dataset.get("metrics", {})) - named - sorting == set(), slug


def test_every_chart_is_on_a_dashboard() -> None:
    shown = {chart for dashboard in ASSETS.dashboards.values() for chart in _charts(dashboard)}
    assert shown == ASSETS.charts.keys()


def test_titles_are_distinct() -> None:
    titles = [chart["title"] for chart in ASSETS.charts.values()]
    assert len(set(titles)) == len(titles)


@pytest.mark.parametrize("slug", sorted(ASSETS.charts))
def test_a_chart_says_how_it_is_computed_and_that_its_days_are_utc(slug: str) -> None:
    chart = ASSETS.charts[slug]
    assert len(chart["description"]) > 40
    has_time_axis = chart["params"].get("x_axis") in TIME_AXES or "date" in chart["params"].get(
        "all_columns", []
    )
    assert not has_time_axis or "UTC" in chart["title"] + chart["description"]
    assert re.search(r"Filters: |No filter applies", chart["description"])


@pytest.mark.parametrize("slug", sorted(ASSETS.datasets))
def test_metrics_and_columns_are_described_and_numbers_have_a_format(slug: str) -> None:
    dataset = ASSETS.datasets[slug]
    for name, metric in dataset.get("metrics", {}).items():
        assert metric["label"], name
        assert metric["description"], name
        assert metric.get("format") or name == "complete_through", name


@pytest.mark.parametrize("slug", sorted(_charts(ASSETS.dashboards["overview"])))
def test_a_day_that_is_not_over_is_left_out_or_named(slug: str) -> None:
    """A part of a day looks like a fall in a chart that draws events by day."""
    chart = ASSETS.charts[slug]
    is_timeseries = chart["viz_type"].startswith("echarts_timeseries")
    if not is_timeseries or chart["params"].get("time_grain_sqla") != "P1D":
        return
    only_full_days = {"subject": "is_day_over", "operator": "==", "comparator": 1}
    dataset = ASSETS.datasets[chart["dataset"]]
    if only_full_days in chart["params"]["adhoc_filters"] or NOT_TODAY.search(dataset["sql"]):
        assert "full day" in chart["title"]
    else:
        assert "today so far" in chart["title"]


def test_a_colour_means_the_same_on_every_dashboard() -> None:
    meanings: dict[str, set[Any]] = {}
    for dashboard in ASSETS.dashboards.values():
        for label, colour in dashboard["label_colors"].items():
            meanings.setdefault(label, set()).add(colour)
    assert {label: colours for label, colours in meanings.items() if len(colours) > 1} == {}


WORDS: Mapping[str, tuple[str, ...]] = {
    "url_host": ("sites",),
    "url_path": ("pages",),
    "element_id": ("elements", "pages"),
    "event_title": ("elements", "pages"),
    "device_type": ("devices",),
    "country": ("countries",),
    "field": ("own fields",),
    "value": ("own fields",),
}
"""How a title says that it covers everything that a filter on a column could choose from."""


def _on_tabs(dashboard: Document) -> Iterator[tuple[str, str]]:
    """Each chart of a dashboard with its tab; an empty name where there are no tabs."""
    tabs = [node for node in nodes(dashboard["layout"]) if "tab" in node] or [
        {"content": dashboard["layout"]}
    ]
    for tab in tabs:
        yield from ((tab.get("tab", ""), node["chart"]) for node in nodes(tab["content"]) if "chart" in node)


ABOUT_ALL = {"own_field_coverage", "expectations_met"}
"""Charts that a filter could reach, and that are there to show the whole."""

REACH = [
    pytest.param(dashboard, item, chart, id=f"{slug}-{item['name']}-{chart}")
    for slug, dashboard in ASSETS.dashboards.items()
    for item in dashboard["filters"]
    for tab, chart in _on_tabs(dashboard)
    if item["type"] == "select" and tab in item.get("tabs", [tab])
]


@pytest.mark.parametrize(("dashboard", "item", "chart"), REACH)
def test_a_filter_reaches_every_chart_that_can_be_filtered(
    dashboard: Document, item: Document, chart: str
) -> None:
    """A chart is left out of a filter on its tab only if its dataset lacks the column."""
    is_reached = chart not in item.get("except_charts", [])
    dataset = ASSETS.datasets[ASSETS.charts[chart]["dataset"]]
    column = dataset.get("columns", {}).get(item["column"], {})
    can_be = item["column"] in _columns(dataset) and column.get("is_active", True)
    assert is_reached == (can_be and chart not in ABOUT_ALL)


@pytest.mark.parametrize(("dashboard", "item", "chart"), REACH)
def test_a_chart_that_a_filter_does_not_reach_says_so_in_its_title(
    dashboard: Document, item: Document, chart: str
) -> None:
    if dashboard["slug"] == "data-quality" or chart not in item.get("except_charts", []):
        return
    _, _, scope = ASSETS.charts[chart]["title"].lower().partition("all ")
    assert any(word in scope for word in (*WORDS[item["column"]], "events"))


def test_nobody_is_named_as_an_owner() -> None:
    text = repr([ASSETS.charts, ASSETS.dashboards, ASSETS.datasets])
    assert "owner" not in text
    assert "certified" not in text
