"""A narrow window has one chart per row and cards in pairs, and loses nothing."""

import copy
from typing import Any

import pytest

from benchmarks.dashboard_page import charts_of
from dashboards.files import Document, read_assets
from dashboards.layout import COLUMNS, compile_layout
from dashboards.phone import stacked

ASSETS = read_assets()
TITLES = {slug: chart["title"] for slug, chart in ASSETS.charts.items()}


def _position(layout: list[Document]) -> Document:
    return compile_layout("test", "Test", layout, TITLES)


def _rows(position: Document, id_: str = "ROOT_ID") -> list[list[tuple[str, int]]]:
    """The rows from top to bottom: name and width of what each holds."""
    component = position[id_]
    if component["type"] == "ROW":
        items = [position[child] for child in component["children"]]
        return [[(item["id"].removeprefix("CHART-"), item["meta"]["width"]) for item in items]]
    return [row for child in component["children"] for row in _rows(position, child)]


def _chart(slug: str, width: int, height: int) -> Document:
    return {"chart": slug, "width": width, "height": height}


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        pytest.param(
            [_chart("funnel", 6, 90), _chart("campaigns", 6, 90)],
            [[("funnel", 12)], [("campaigns", 12)]],
            id="charts below each other",
        ),
        pytest.param(
            [_chart("received", 3, 26), _chart("pending", 3, 26), _chart("sessions", 3, 26)],
            [[("received", 6), ("pending", 6)], [("sessions", 12)]],
            id="cards in pairs",
        ),
        pytest.param(
            [_chart("received", 3, 26), _chart("funnel", 9, 26)],
            [[("received", 12)], [("funnel", 12)]],
            id="a card beside a chart",
        ),
        pytest.param(
            [_chart("funnel", 3, 90), _chart("campaigns", 3, 90)],
            [[("funnel", 12)], [("campaigns", 12)]],
            id="a narrow chart is not a card",
        ),
        pytest.param(
            [
                _chart("funnel", 8, 90),
                {"width": 4, "column": [_chart("campaigns", 4, 26), _chart("pages_by_day", 4, 60)]},
            ],
            [[("funnel", 12)], [("campaigns", 12)], [("pages_by_day", 12)]],
            id="a column",
        ),
    ],
)
def test_a_row_becomes_rows(row: list[Document], expected: list[Any]) -> None:
    assert _rows(stacked(_position([{"row": row}]))) == expected


@pytest.mark.parametrize("name", sorted(ASSETS.dashboards))
def test_a_dashboard_keeps_its_charts_and_their_order(name: str) -> None:
    position = _position(ASSETS.dashboards[name]["layout"])
    before = copy.deepcopy(position)

    narrow = stacked(position)

    assert position == before
    rows = _rows(narrow)
    shown = [item for row in rows for item, _ in row if not item.startswith("MARKDOWN")]
    assert shown == charts_of(ASSETS.dashboards[name])
    assert all(sum(width for _, width in row) == COLUMNS for row in rows)
    for id_, component in narrow.items():
        for child in component.get("children", []) if isinstance(component, dict) else []:
            assert narrow[child].get("parents", [id_])[-1] == id_
