"""Charts of the panel: ECharts options over Arrow tables, in the colours of the dashboards.

Every chart has a text alternative, and its toolbar shows the numbers as a table.
"""

from collections.abc import Sequence
from typing import Any, Final

import pyarrow as pa
import streamlit as st

from control_panel.theme import colour_of

_GRID: Final = {"left": 8, "right": 16, "top": 36, "bottom": 8, "containLabel": True}


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
    stacked: bool = False,
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
        stacked: Whether the lines are areas on top of each other.
    """
    series: list[dict[str, Any]] = [
        {
            "type": "line",
            "name": names.get(column, column),
            "encode": {"x": time_column, "y": column},
            "itemStyle": {"color": colour_of(column)},
            "showSymbol": len(table) <= 60 and not stacked,
            "symbolSize": 4,
            "lineStyle": {"width": 2},
            "tooltip": {"valueFormatter": number_format},
            **({"stack": "all", "areaStyle": {"opacity": 0.35}} if stacked else {}),
        }
        for column in columns
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
            "itemStyle": {"color": colour_of(column)},
            "stack": "all" if len(columns) > 1 else None,
            "barMaxWidth": 28,
            "tooltip": {"valueFormatter": "localized"},
        }
        for column in columns
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
