"""Charts of the panel: ECharts options over Arrow tables, in the colours of the dashboards.

Every chart has a text alternative, and its toolbar shows the numbers as a table.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import pyarrow as pa
import streamlit as st

from control_panel.theme import colour_of

HEAT: Final = ("#FDD0A2", "#FD8D3C", "#E6550D", "#A63603")
"""From few to many, as the dashboards' heatmaps."""

_GRID: Final = {"left": 8, "right": 16, "top": 36, "bottom": 8, "containLabel": True}


@dataclass(frozen=True, slots=True)
class Outline:
    """Where an element of a page is, in pixels from the upper left corner.

    Attributes:
        name: The element.
        left: Its left edge.
        top: Its upper edge.
        right: Its right edge.
        bottom: Its lower edge.
    """

    name: str
    left: int
    top: int
    right: int
    bottom: int


def lines(
    table: pa.Table,
    time_column: str,
    columns: Sequence[str],
    *,
    names: dict[str, str],
    alt: str,
    key: str,
    height: int = 300,
    number_format: str = "localized",
) -> None:
    """Lines over time.

    Args:
        table: A row for each moment.
        time_column: Date or time of a row.
        columns: What is drawn, a line each.
        names: What people call the columns.
        alt: What the chart shows, for screen readers.
        key: Identifies the chart on its page, so that new data update it instead of replacing it.
        height: Pixels.
        number_format: How values are shown, as in `st.echarts_chart`.
    """
    series: list[dict[str, Any]] = [
        {
            "type": "line",
            "name": names.get(column, column),
            "encode": {"x": time_column, "y": column},
            "itemStyle": {"color": colour_of(column, place)},
            "showSymbol": len(table) <= 60,
            "symbolSize": 4,
            "lineStyle": {"width": 2},
            "tooltip": {"valueFormatter": number_format},
        }
        for place, column in enumerate(columns)
    ]
    _draw(
        {
            "dataset": {"source": table.select([time_column, *columns]).to_pandas()},
            "xAxis": {"type": "time"},
            "yAxis": {"type": "value", "min": 0},
            "series": series,
        },
        alt=alt,
        key=key,
        height=height,
    )


def bars(
    table: pa.Table,
    category_column: str,
    columns: Sequence[str],
    *,
    names: dict[str, str],
    alt: str,
    key: str,
    height: int = 300,
    horizontal: bool = False,
) -> None:
    """Bars by category, stacked where there are several columns; the arguments are those of `lines`."""
    category = {"type": "category", "inverse": horizontal, "axisTick": {"show": False}}
    value = {"type": "value", "min": 0}
    series: list[dict[str, Any]] = [
        {
            "type": "bar",
            "name": names.get(column, column),
            "encode": {"y": category_column, "x": column}
            if horizontal
            else {"x": category_column, "y": column},
            "itemStyle": {"color": colour_of(column, place)},
            "stack": "all" if len(columns) > 1 else None,
            "barMaxWidth": 28,
            "tooltip": {"valueFormatter": "localized"},
        }
        for place, column in enumerate(columns)
    ]
    _draw(
        {
            "dataset": {"source": table.select([category_column, *columns]).to_pandas()},
            "xAxis": value if horizontal else category,
            "yAxis": category if horizontal else value,
            "series": series,
        },
        alt=alt,
        key=key,
        height=height,
    )


def heatmap(cells: pa.Table, outlines: Sequence["Outline"], *, bin_pixels: int, alt: str, key: str) -> None:
    """Clicks over a page, in squares, with the outlines of its elements.

    Args:
        cells: Columns `x_bin`, `y_bin` (edges of squares in pixels) and `clicks`.
        outlines: Where the elements are.
        bin_pixels: Size of a square.
        alt: What the chart shows, for screen readers.
        key: Identifies the chart on its page.
    """
    columns = cells.to_pydict()
    right = max([*columns["x_bin"], *(outline.right for outline in outlines)]) + bin_pixels
    bottom = max([*columns["y_bin"], *(outline.bottom for outline in outlines)]) + bin_pixels
    xs, ys = ([str(edge) for edge in range(0, end + 1, bin_pixels)] for end in (right, bottom))
    most = max(columns["clicks"])
    spots = zip(columns["x_bin"], columns["y_bin"], columns["clicks"], strict=True)
    axis = {
        "type": "category",
        "splitArea": {"show": False},
        "axisTick": {"show": False},
        "axisLabel": {"interval": 4},
    }
    areas = [
        [
            {"name": outline.name, "xAxis": str(outline.left), "yAxis": str(outline.top)},
            {"xAxis": str(outline.right), "yAxis": str(outline.bottom)},
        ]
        for outline in outlines
    ]
    spec = {
        "animation": False,
        "grid": {"left": 8, "right": 8, "top": 32, "bottom": 8, "containLabel": True},
        "tooltip": {"formatter": "x {@[0]} px, y {@[1]} px: <b>{@[2]}</b> clicks"},
        "xAxis": {**axis, "data": xs, "position": "top"},
        "yAxis": {**axis, "data": ys, "inverse": True},
        "visualMap": {
            "show": False,
            "min": 0,
            "max": most,
            "dimension": 2,
            "inRange": {"color": list(HEAT)},
        },
        "series": [
            {
                "type": "heatmap",
                "data": [[x // bin_pixels, y // bin_pixels, clicks] for x, y, clicks in spots],
                "markArea": {
                    "silent": True,
                    # Above the squares, which would cover the names of the elements.
                    "z": 3,
                    "itemStyle": {
                        "color": "transparent",
                        "borderColor": "#7A8DA8",
                        "borderWidth": 1.5,
                    },
                    "label": {
                        "position": "top",
                        "fontSize": 12,
                        "color": "#3D5270",
                        "backgroundColor": "rgba(255,255,255,0.85)",
                        "padding": [1, 3],
                    },
                    "data": areas,
                },
            }
        ],
    }
    st.echarts_chart(spec, height=min(1_400, max(320, len(ys) * 14)), key=key, alt=alt)


def _draw(spec: dict[str, Any], *, alt: str, key: str, height: int) -> None:
    series = spec["series"]
    options = {
        "animation": False,
        "grid": {**_GRID, "top": _GRID["top"] if len(series) > 1 else 12},
        "tooltip": {"trigger": "axis"},
        "legend": {"show": len(series) > 1, "top": 0, "left": 0, "type": "scroll"},
        **spec,
    }
    st.echarts_chart(options, height=height, key=key, alt=alt)
