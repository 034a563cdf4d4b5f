"""What people see and click: the metrics, for any days and segment."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Any, Final

import pyarrow as pa
import streamlit as st
import yaml

from clickstream.storage.sql import WAREHOUSE_PATH, load_sql
from control_panel import charts, layout
from control_panel.clients import reports
from control_panel.clients.reports import Filters
from control_panel.pages import PageInfo, Section

PAGE = PageInfo("Reports", ":material/bar_chart:", Section.INSIGHT, 1, "reports")

_DEVICES: Final = ("desktop", "mobile", "tablet")
_DAYS_SHOWN: Final = 30
_NAMES: Final = {
    "date": "Day (UTC)",
    "dau": "DAU",
    "wau": "WAU",
    "mau": "MAU",
    "views": "Views",
    "clicks": "Clicks",
    "conversion_percent": "Conversion %",
    "sessions": "Sessions",
    "average_seconds": "Average, s",
    "median_seconds": "Median, s",
    "single_event_sessions": "Single-event sessions",
    "device_type": "Device type",
    "events": "Events",
    "users": "Users",
    "url_path": "Page",
    "element_id": "Element",
    "event_title": "Event title",
    "hour_of_day": "Hour (UTC)",
}


@dataclass(frozen=True, slots=True)
class Report:
    """One report.

    Attributes:
        title: Its name.
        name: Its query, without `report_`.
        view: The view that it shows; the view's description explains the numbers.
        explanation: How it is computed, in a few sentences.
        draw: Draws its chart.
        knows_countries: Whether it can be filtered by country.
    """

    title: str
    name: str
    view: str
    explanation: str
    draw: Callable[[pa.Table], None]
    knows_countries: bool = True


def render() -> None:
    """Draw the page."""
    layout.heading(PAGE, "What people see and click, from the same views as the dashboards. Days are UTC.")
    found = layout.page_part(reports.bounds(), "The reports")
    if found is None:
        return
    if not isinstance(found, reports.Bounds):
        layout.empty(
            "There are no numbers yet. Send some events first, on the page [Generators](/generators) or "
            "[Upload CSV](/upload). The marts are built every minute.",
            ":material/waving_hand:",
        )
        return
    titles = [*(one.title for one in _REPORTS), _HEATMAP]
    title = st.segmented_control(
        "Report",
        titles,
        default=titles[0],
        required=True,
        key="report",
        bind="query-params",
        label_visibility="collapsed",
    )
    filters = _ask_for_filters(found)
    if filters is None:
        return
    if title == _HEATMAP:
        _show_heatmap(filters)
        return
    _show_report(next((one for one in _REPORTS if one.title == title), _REPORTS[0]), filters)


def _ask_for_filters(bounds: reports.Bounds) -> Filters | None:
    first, second, third = st.columns([2, 1, 1])
    today = datetime.now(UTC).date()
    # A day that is not over would look like a fall, so it is shown only to those who choose it.
    shown_to = min(bounds.last_date, max(bounds.first_date, today - timedelta(days=1)))
    shown_from = max(bounds.first_date, shown_to - timedelta(days=_DAYS_SHOWN - 1))
    with first:
        chosen = st.date_input(
            "Days (UTC)",
            value=(shown_from, shown_to),
            min_value=bounds.first_date,
            max_value=bounds.last_date,
            format="YYYY-MM-DD",
        )
    with second:
        devices = st.multiselect("Device types", _DEVICES, placeholder="All")
    with third:
        countries = st.multiselect("Countries", bounds.countries, placeholder="All")
    days: tuple[date, ...] = chosen if isinstance(chosen, tuple) else (chosen,)
    if len(days) != 2:
        st.info("Choose the last day as well.", icon=":material/date_range:")
        return None
    if days[1] >= today:
        st.caption(f"{today} is not over yet: its numbers are those until now.")
    elif bounds.last_date >= today:
        st.caption(f"Full days only: {today} is not over yet. Choose it as the last day to see it so far.")
    return Filters(days[0], days[1], tuple(sorted(devices)), tuple(sorted(countries)))


def _show_report(report: Report, filters: Filters) -> None:
    st.subheader(report.title, anchor=False)
    if filters.countries and not report.knows_countries:
        st.caption("This report is not available by country, so the country filter is ignored here.")
    table = layout.page_part(reports.report(report.name, filters), report.title)
    if table is None:
        return
    if not len(table):
        layout.empty("There are no events for these days and filters.")
        return
    report.draw(table)
    _show_table(table)
    with st.container(horizontal=True):
        _offer_csv(table, f"{report.name}_{filters.first_date}_{filters.last_date}.csv")
        _explain(report.view, report.explanation)


def _show_table(table: pa.Table) -> None:
    config: dict[str, Any] = {}
    for field in table.schema:
        name = _NAMES.get(field.name, field.name)
        if pa.types.is_floating(field.type):
            config[field.name] = st.column_config.NumberColumn(name, format="%.1f")
        elif pa.types.is_integer(field.type):
            config[field.name] = st.column_config.NumberColumn(name, format="localized")
        else:
            config[field.name] = st.column_config.Column(name)
    st.dataframe(table, hide_index=True, column_config=config, height=300, placeholder="–", alt="The numbers")


def _offer_csv(table: pa.Table, name: str) -> None:
    st.download_button(
        "Download CSV",
        lambda: reports.as_csv(table),
        file_name=name,
        mime="text/csv",
        icon=":material/download:",
        on_click="ignore",
    )


def _explain(view: str, explanation: str) -> None:
    with st.popover("How this is computed", icon=":material/function:"):
        st.markdown(explanation)
        described = _description(view)
        st.markdown(f"View `{view}`: {described['description']} {described.get('grain', '')}")
        st.markdown("\n".join(f"- `{name}`: {text}" for name, text in described["columns"].items()))
        with st.expander("SQL of the view"):
            st.code(load_sql(f"views/{view}"), language="sql")


@cache
def _description(view: str) -> dict[str, Any]:
    text: dict[str, Any] = yaml.safe_load((WAREHOUSE_PATH / "views" / f"{view}.yml").read_text("utf-8"))
    return text


def _show_heatmap(filters: Filters) -> None:
    st.subheader(_HEATMAP, anchor=False)
    pages = layout.page_part(reports.clicked_pages(filters), "The list of pages")
    if pages is None:
        return
    if not pages:
        layout.empty("No click on these days and devices has a position.")
        return
    left, right = st.columns([2, 1])
    with left:
        page = st.selectbox("Page", pages)
    with right:
        # Narrow screens have other positions than wide ones, so one picture is of one type of device.
        choices = filters.device_types or _DEVICES
        device = st.segmented_control("Screen", choices, default=choices[0], required=True)
    filters = replace(filters, device_types=(device or choices[0],))
    clicks = layout.page_part(reports.page_clicks(page, filters), "The clicks")
    if clicks is None:
        return
    if not len(clicks):
        layout.empty(f"There are no clicks on this page from this type of device ({device}) on these days.")
        return
    shown = reports.visible(clicks)
    total, outside = reports.count(shown), reports.count(clicks) - reports.count(shown)
    st.caption(
        f"{total:,} clicks. The outlines show the elements, estimated from where they were clicked."
        + (f" {outside:,} clicks further right or down are not shown." if outside else "")
    )
    if total:
        charts.heatmap(
            reports.by_square(shown),
            reports.outlines(shown),
            bin_pixels=reports.BIN_PIXELS,
            alt=f"Heatmap of {total} clicks on {page}, with the outlines of its elements",
            key="heatmap",
        )
    with st.container(horizontal=True):
        _offer_csv(clicks, f"clicks_{filters.first_date}_{filters.last_date}.csv")
        _explain(
            "segment_click_positions",
            "Each click counts in the square of 20 pixels that holds its position, from the page's upper "
            "left corner. An element's outline encloses the squares with clicks on it.",
        )


def _draw_users(table: pa.Table) -> None:
    charts.lines(
        table, "date", ["dau", "wau", "mau"], names=_NAMES, alt="Active users by day", key="report users"
    )


def _draw_activity(table: pa.Table) -> None:
    charts.lines(
        table, "date", ["views", "clicks"], names=_NAMES, alt="Views and clicks by day", key="report activity"
    )


def _draw_sessions(table: pa.Table) -> None:
    left, right = st.columns(2)
    with left:
        charts.lines(
            table,
            "date",
            ["average_seconds", "median_seconds"],
            names=_NAMES,
            alt="Average and median duration of sessions by day, in seconds",
            key="report durations",
        )
    with right:
        charts.lines(
            table,
            "date",
            ["sessions", "single_event_sessions"],
            names=_NAMES,
            alt="Sessions by day",
            key="report sessions",
        )


def _draw_elements(table: pa.Table) -> None:
    top = table.slice(0, 15)
    names = [f"{row['element_id']} {row['url_path']} · {_percent(row)}" for row in top.to_pylist()]
    charts.bars(
        top.select(["views", "clicks"]).append_column("name", pa.array(names)),
        "name",
        ["views", "clicks"],
        names=_NAMES,
        alt="Views, clicks and conversion of the elements with the most views",
        key="report elements",
        height=420,
        horizontal=True,
    )


def _percent(row: dict[str, Any]) -> str:
    """Conversion for people; a dash where there are no views."""
    found = row["conversion_percent"]
    return "–" if found is None else f"{found:.1f} %"


def _draw_pages(table: pa.Table) -> None:
    charts.bars(
        table.slice(0, 15),
        "url_path",
        ["views", "clicks"],
        names=_NAMES,
        alt="Views and clicks of the pages with the most views",
        key="report pages",
        height=420,
        horizontal=True,
    )


def _draw_hours(table: pa.Table) -> None:
    hours = pa.array([f"{hour:02d}" for hour in table["hour_of_day"].to_pylist()])
    charts.bars(
        table.select(["views", "clicks"]).append_column("hour", hours),
        "hour",
        ["views", "clicks"],
        names=_NAMES,
        alt="Views and clicks by the hour of the day",
        key="report hours",
    )


def _draw_devices(table: pa.Table) -> None:
    by_day: dict[date, dict[str, int]] = {}
    for row in table.to_pylist():
        by_day.setdefault(row["date"], {})[row["device_type"]] = row["users"]
    present = [device for device in _DEVICES if any(device in users for users in by_day.values())]
    columns = {device: [users.get(device, 0) for users in by_day.values()] for device in present}
    charts.lines(
        pa.table({"date": list(by_day), **columns}),
        "date",
        present,
        names={},
        alt="Users by type of device and day",
        key="report devices",
    )


_HEATMAP: Final = "Heatmap of clicks"
_REPORTS: Final = (
    Report(
        "Active users",
        "active_users",
        "daily_active_users",
        "Distinct user ids with at least one event on the day (DAU), on the 7 days (WAU) and on the 30 days "
        "(MAU) that end with it. A filter restricts the events that count.",
        _draw_users,
    ),
    Report(
        "Views and clicks",
        "activity",
        "segment_activity",
        "Events of type view and click by the day of `created_at`. Conversion is 100 × clicks / views.",
        _draw_activity,
    ),
    Report(
        "Conversion by element",
        "elements",
        "segment_activity",
        "Views and clicks of each element on each page; conversion is 100 × clicks / views, and empty where "
        "there are no views.",
        _draw_elements,
    ),
    Report(
        "Pages",
        "pages",
        "segment_activity",
        "Views of elements and clicks on elements of each page, the path without query and fragment.",
        _draw_pages,
    ),
    Report(
        "Sessions",
        "sessions",
        "session_durations",
        "A session lasts from its first event to its last. Average and median are of the sessions with two "
        "events or more that started on the day.",
        _draw_sessions,
    ),
    Report(
        "Devices",
        "devices",
        "device_types",
        "Events, sessions and users by type of device; a user of two types counts under both.",
        _draw_devices,
        knows_countries=False,
    ),
    Report(
        "Time of day",
        "hours",
        "segment_activity",
        "Views and clicks by the hour (UTC) of `created_at`, over all days chosen.",
        _draw_hours,
    ),
)
