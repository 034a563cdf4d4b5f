"""Draws the panels of Grafana's dashboards: stat, time series, bar gauge, state timeline and table."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import pandas as pd
import streamlit as st

from control_panel import layout
from control_panel.clients.readings import Reading
from control_panel.units import Scale, scale_for, word_for
from monitoring.grafana.reading import Answer, Panel

_ROW_PIXELS: Final = 34
_COLOURS: Final = {"green": "#19A979", "orange": "#EFB118", "red": "#D64550", "gray": "#9E9E9E"}
_PALETTE: Final = (
    *("#3D6EC9", "#E8743B", "#19A979", "#945ECF", "#13A4B4", "#C2185B", "#EFB118", "#8D6E63"),
    *("#5E5CE6", "#2E7D32", "#F57C00", "#7A8DA8"),
)


def draw(panel: Panel, reading: Reading[list[Answer]], key: str) -> None:
    """Draw a panel with its title and, behind the question mark, what is normal and what to do.

    Args:
        panel: The panel.
        reading: What Prometheus answered.
        key: Identifies it on the page.
    """
    if panel.type != "stat":
        st.markdown(f"**{layout.escape(panel.title)}**", help=panel.description)
    answers = layout.part(reading, panel.title)
    if answers is None:
        return
    if not answers and panel.type != "stat":
        st.caption("No data in this time.")
        return
    _DRAW[panel.type](panel, answers, key)


def _stat(panel: Panel, answers: Sequence[Answer], _key: str) -> None:
    label = layout.escape(panel.title)
    if not answers:
        st.metric(f":gray[●] {label}", "–", help=panel.description, border=True)
        return
    points = answers[0].series.points
    value = points[-1][1]
    colour = panel.look.thresholds.color_of(value)
    shown = word_for(panel.look.unit, value) or scale_for(panel.look.unit, value).text(value)
    st.metric(f":{colour}[●] {label}", shown, help=panel.description, border=True)


def _lines(panel: Panel, answers: Sequence[Answer], key: str) -> None:
    scale = _scale(panel, answers)
    times = sorted({at for answer in answers for at, _ in answer.series.points})
    series: list[dict[str, Any]] = [
        {
            "type": "line",
            "name": answer.name,
            "data": _on_grid(answer, times, scale, 0.0 if panel.is_stacked else None),
            "showSymbol": len(answer.series.points) == 1,
            "lineStyle": {"width": 1.5},
            "itemStyle": {"color": _PALETTE[index % len(_PALETTE)]},
            "tooltip": {"valueFormatter": _format(scale)},
            **({"stack": "all", "areaStyle": {"opacity": 0.35}} if panel.is_stacked else {}),
        }
        for index, answer in enumerate(answers)
    ]
    limits = _limits(panel, scale, series)
    if limits:
        series[0]["markLine"] = limits
    options = {
        "animation": False,
        "grid": {"left": 8, "right": 16, "top": 30, "bottom": 44, "containLabel": True},
        "legend": {"show": True, "bottom": 0, "left": 0, "type": "scroll"},
        "tooltip": {"trigger": "axis"},
        "xAxis": {"type": "time"},
        "yAxis": {"type": "value", "min": 0, "name": scale.suffix, "nameTextStyle": {"align": "left"}},
        "series": series,
    }
    st.echarts_chart(options, height=_height(panel), key=key, alt=_alt(panel, answers, scale))


def _on_grid(
    answer: Answer, times: Sequence[float], scale: Scale, missing: float | None
) -> list[tuple[int, float | None]]:
    """A value for each time: stacked series must agree in their times, and others show their gaps."""
    values = dict(answer.series.points)
    return [(int(at * 1000), values[at] * scale.factor if at in values else missing) for at in times]


def _limits(panel: Panel, scale: Scale, series: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Dashed lines at the thresholds that the values come near; farther ones would flatten the chart."""
    if panel.is_stacked:
        return {}
    largest = max(value for one in series for _, value in one["data"] if value is not None)
    lines = [
        {"yAxis": step.value * scale.factor, "lineStyle": {"color": _COLOURS.get(step.color, step.color)}}
        for step in panel.look.thresholds.steps
        if step.value is not None and step.value * scale.factor <= 1.5 * largest
    ]
    if not lines:
        return {}
    return {"silent": True, "symbol": "none", "label": {"show": False}, "data": lines}


def _bars(panel: Panel, answers: Sequence[Answer], key: str) -> None:
    values = sorted(((one.name, one.series.points[-1][1]) for one in answers), key=lambda pair: pair[1])
    scale = _scale(panel, answers)
    data = [
        {
            "value": round(value * scale.factor, 3),
            "itemStyle": {"color": _COLOURS.get(panel.look.thresholds.color_of(value), "#19A979")},
        }
        for _, value in values
    ]
    options = {
        "animation": False,
        "grid": {"left": 8, "right": 48, "top": 8, "bottom": 8, "containLabel": True},
        "xAxis": {"type": "value", "min": 0, "minInterval": 1},
        "yAxis": {"type": "category", "data": [name for name, _ in values], "axisTick": {"show": False}},
        "series": [
            {"type": "bar", "data": data, "barMaxWidth": 18, "label": {"show": True, "position": "right"}}
        ],
    }
    height = max(_height(panel), 26 * len(values) + 30)
    st.echarts_chart(options, height=height, key=key, alt=_alt(panel, answers, scale))


def _states(panel: Panel, answers: Sequence[Answer], key: str) -> None:
    """A heat map with a row for each series; Streamlit refuses the functions that ECharts' timelines need."""
    times = sorted({at for answer in answers for at, _ in answer.series.points})
    column = {at: index for index, at in enumerate(times)}
    data = [
        [column[at], row, value] for row, answer in enumerate(answers) for at, value in answer.series.points
    ]
    words = panel.look.mappings[0]["options"] if panel.look.mappings else {}
    pieces = [
        {"value": float(value), "label": word["text"], "color": _COLOURS.get(word["color"], word["color"])}
        for value, word in words.items()
    ]
    labels = [f"{pd.Timestamp(at, unit='s', tz='UTC'):%H:%M:%S}" for at in times]
    options = {
        "animation": False,
        "grid": {"left": 8, "right": 16, "top": 8, "bottom": 36, "containLabel": True},
        "tooltip": {"show": False},
        "xAxis": {"type": "category", "data": labels, "axisTick": {"show": False}},
        "yAxis": {"type": "category", "data": [one.name for one in answers], "inverse": True},
        "visualMap": {"type": "piecewise", "pieces": pieces, "orient": "horizontal", "bottom": 0, "left": 0},
        "series": [{"type": "heatmap", "data": data, "itemStyle": {"borderWidth": 0}}],
    }
    height = 24 * len(answers) + 80
    st.echarts_chart(options, height=height, key=key, alt=_alt(panel, answers, Scale(1, "")))


_SCRAPED: Final = ("instance", "job")
"""Labels that Prometheus adds."""

_HEADINGS: Final = {"instance": "Address", "job": "Service"}


def _table(panel: Panel, answers: Sequence[Answer], key: str) -> None:
    rows = [
        {
            **{name: text for name, text in one.series.labels.items() if name != "__name__"},
            "value": one.series.points[-1][1],
        }
        for one in answers
    ]
    frame = pd.DataFrame(rows)
    change = panel.transformations[0] if panel.transformations else None
    if change is not None and change.id == "groupingToMatrix":
        frame = frame.pivot_table(
            index=change.options["rowField"],
            columns=change.options["columnField"],
            values="value",
            sort=False,
        ).reset_index()
    else:
        frame = frame.drop(columns=_told_by_others(frame))
        if panel.look.unit == "s":
            frame["value"] = [scale_for("s", value).text(value) for value in frame["value"]]
    frame.columns = [_heading(str(name), panel.look.unit) for name in frame.columns]
    localized = st.column_config.NumberColumn(format="localized")
    numbers = {str(name): localized for name in frame.select_dtypes("number")}
    height = max(80, 36 * (len(frame) + 1))
    st.dataframe(frame, hide_index=True, column_config=numbers, key=key, height=height, alt=panel.title)


def _heading(name: str, unit: str) -> str:
    """What people call a label or the value of a row."""
    if name == "value":
        return "Duration" if unit == "s" else "Value"
    return _HEADINGS.get(name, name.replace("_", " ").capitalize())


def _told_by_others(frame: pd.DataFrame) -> list[str]:
    """The columns that name who served the metric, where each row has a label of its own."""
    scraped = [name for name in _SCRAPED if name in frame]
    return scraped if len(frame.columns) > len(scraped) + 1 else []


def _scale(panel: Panel, answers: Sequence[Answer]) -> Scale:
    return scale_for(panel.look.unit, max(value for one in answers for _, value in one.series.points))


def _format(scale: Scale) -> str:
    return f"%.2f {scale.suffix.replace('%', '%%')}".rstrip()


def _height(panel: Panel) -> int:
    return panel.grid.h * _ROW_PIXELS


def _alt(panel: Panel, answers: Sequence[Answer], scale: Scale) -> str:
    """The chart in words: the last value of each series."""
    last = ", ".join(f"{one.name} {scale.text(one.series.points[-1][1])}" for one in answers[:12])
    return f"{panel.title}: {last}"


_DRAW: Final[Mapping[str, Callable[[Panel, Sequence[Answer], str], None]]] = {
    "stat": _stat,
    "timeseries": _lines,
    "bargauge": _bars,
    "state-timeline": _states,
    "table": _table,
}
