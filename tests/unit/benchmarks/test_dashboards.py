"""What is told of many charts, and what they are asked for."""

from benchmarks.dashboards import ChartTimes, over_days, samples_of
from benchmarks.samples import CHART_QUERY, CHART_REQUEST
from dashboards.files import Document

TIMES = [
    ChartTimes("funnel", "30 days", request_ms=90, query_ms=20),
    ChartTimes("funnel", "90 days", request_ms=200, query_ms=70),
    ChartTimes("devices", "90 days", request_ms=150, query_ms=80),
]


def test_the_slowest_query_and_the_slowest_request_are_told_by_name() -> None:
    query, request = samples_of(TIMES)
    assert (query.subject, query.figure, query.about) == (CHART_QUERY, 80, "devices, 90 days")
    assert (request.subject, request.figure, request.about) == (CHART_REQUEST, 200, "funnel, 90 days")


def test_a_request_stands_beside_its_own_query() -> None:
    _, request = samples_of(TIMES)
    assert request.baseline == 70


def test_the_figures_of_every_chart_are_kept() -> None:
    _, request = samples_of(TIMES)
    assert request.parts == {
        "funnel, 30 days": {"request ms": 90, "query ms": 20},
        "funnel, 90 days": {"request ms": 200, "query ms": 70},
        "devices, 90 days": {"request ms": 150, "query ms": 80},
    }


def test_other_days_change_the_range_alone_and_not_what_was_given() -> None:
    page = {"col": "url_path", "op": "IN", "val": ["/"]}
    body: Document = {
        "queries": [{"filters": [page, {"col": "date", "op": "TEMPORAL_RANGE", "val": "No filter"}]}]
    }

    changed = over_days(body, "2026-01-01 : 2026-04-01")

    assert changed["queries"][0]["filters"] == [
        page,
        {"col": "date", "op": "TEMPORAL_RANGE", "val": "2026-01-01 : 2026-04-01"},
    ]
    assert body["queries"][0]["filters"][1]["val"] == "No filter"


def test_a_chart_without_a_range_is_asked_for_the_same() -> None:
    body: Document = {"queries": [{"filters": []}]}
    assert over_days(body, "2026-01-01 : 2026-04-01") == body
