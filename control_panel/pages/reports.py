"""What people see and click: the metrics, for any days and segment."""

from collections.abc import Collection
from dataclasses import asdict, replace
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc
import streamlit as st
import yaml

from clickstream.storage.sql import WAREHOUSE_PATH, load_sql
from control_panel import charts, layout
from control_panel.clients import reports
from control_panel.clients.reports import Filters
from control_panel.pages import PageInfo, Section
from control_panel.parts.report_list import (
    COUNTRY,
    DEVICE_TYPE,
    DEVICES,
    NAMES,
    REPORTS,
    SITE,
    Report,
    page_names,
)

PAGE = PageInfo("Reports", ":material/bar_chart:", Section.INSIGHT, 1, "reports")

_DAYS_SHOWN: Final = 30
_ROWS_WITHOUT_SCROLLING: Final = 7
_ALL: Final = "all"
_HEATMAP: Final = "Heatmap of clicks"


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
    titles = [*(one.title for one in REPORTS), _HEATMAP]
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
    _show_report(next((one for one in REPORTS if one.title == title), REPORTS[0]), filters)


def _ask_for_filters(bounds: reports.Bounds) -> Filters | None:
    has_sites = len(bounds.sites) > 1
    first, *others = st.columns([2, *[1] * (2 + has_sites)])
    # As the dashboards: the last 30 days of the data.
    shown_from = max(bounds.first_date, bounds.last_date - timedelta(days=_DAYS_SHOWN - 1))
    with first:
        chosen = st.date_input(
            "Days (UTC)",
            value=(shown_from, bounds.last_date),
            min_value=bounds.first_date,
            max_value=bounds.last_date,
            format="YYYY-MM-DD",
        )
    sites: list[str] = []
    if has_sites:
        with others[0]:
            sites = st.multiselect("Sites", bounds.sites, placeholder="All")
    with others[-2]:
        devices = st.multiselect("Device types", DEVICES, placeholder="All")
    with others[-1]:
        countries = st.multiselect("Countries", bounds.countries, placeholder="All")
    days: tuple[date, ...] = chosen if isinstance(chosen, tuple) else (chosen,)
    if len(days) != 2:
        st.info("Choose the last day as well.", icon=":material/date_range:")
        return None
    return Filters(
        days[0],
        days[1],
        sites=tuple(sorted(sites)),
        device_types=tuple(sorted(devices)),
        countries=tuple(sorted(countries)),
    )


def _show_report(report: Report, filters: Filters) -> None:
    st.subheader(report.title, anchor=False)
    _say_what_is_ignored(filters, report.ignores)
    table = layout.page_part(reports.report(report.name, filters), report.title)
    if table is None:
        return
    if not len(table):
        layout.empty(report.nothing)
        return
    if report.chosen_by:
        table = _choose(table, report.chosen_by)
    report.draw(_full_days(table))
    _show_table(table)
    with st.container(horizontal=True):
        _offer_csv(table, f"{report.name}_{filters.first_date}_{filters.last_date}.csv")
        _explain(report.view, report.explanation)


def _choose(table: pa.Table, column: str) -> pa.Table:
    """The rows with the value of a column that the person chooses; at first all."""
    values = [_ALL, *dict.fromkeys(table[column].to_pylist())]
    chosen = st.selectbox(NAMES[column], values, key=f"chosen {column}", width=300)
    return table if chosen == _ALL else table.filter(pc.field(column) == chosen)


def _say_what_is_ignored(filters: Filters, ignored: Collection[str]) -> None:
    chosen = {SITE: filters.sites, DEVICE_TYPE: filters.device_types, COUNTRY: filters.countries}
    for name, values in chosen.items():
        if values and name in ignored:
            st.caption(f"This report is not available by {name}, so that filter is ignored here.")


def _full_days(table: pa.Table) -> pa.Table:
    """The rows of a report by day without the day that is not over, which would look like a fall."""
    today = datetime.now(UTC).date()
    full = table.filter(pc.field("date") < pa.scalar(today)) if "date" in table.column_names else table
    if not len(full) or len(full) == len(table):
        return table
    st.caption(
        f"The chart ends with the last full day. {today} is not over yet; the table and the download have "
        "its numbers so far."
    )
    return full


def _show_table(table: pa.Table) -> None:
    config: dict[str, Any] = {}
    for field in table.schema:
        name = NAMES.get(field.name, field.name)
        if pa.types.is_floating(field.type):
            config[field.name] = st.column_config.NumberColumn(name, format="%.1f")
        elif pa.types.is_integer(field.type):
            config[field.name] = st.column_config.NumberColumn(name, format="localized")
        else:
            config[field.name] = st.column_config.Column(name)
    st.dataframe(
        table,
        hide_index=True,
        column_config=config,
        height=300 if len(table) > _ROWS_WITHOUT_SCROLLING else "content",
        placeholder="–",
        alt="The numbers",
    )


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
    _say_what_is_ignored(filters, (COUNTRY,))
    pages = layout.page_part(reports.clicked_pages(filters), "The list of pages")
    if pages is None:
        return
    if not pages:
        layout.empty(
            "No click of these days and filters has a position. Choose other days, or remove a filter."
        )
        return
    named = dict(zip(page_names([asdict(page) for page in pages]), pages, strict=True))
    left, right = st.columns([2, 1])
    with left:
        name = st.selectbox("Page", named)
    with right:
        # Narrow screens have other positions than wide ones, so one picture is of one type of device.
        choices = filters.device_types or DEVICES
        device = st.segmented_control("Screen", choices, default=choices[0], required=True, wrap=True)
    filters = replace(filters, device_types=(device or choices[0],))
    clicks = layout.page_part(reports.page_clicks(named[name], filters), "The clicks")
    if clicks is None:
        return
    if not len(clicks):
        layout.empty(
            f"There are no clicks on this page from this type of device ({device}) on these days. Choose "
            "another screen, page or range of days."
        )
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
            alt=f"Heatmap of {total} clicks on {name}, with the outlines of its elements",
            key="heatmap",
        )
    with st.container(horizontal=True):
        _offer_csv(clicks, f"clicks_{filters.first_date}_{filters.last_date}.csv")
        _explain(
            "segment_click_positions",
            "Each click counts in the square of 20 pixels that holds its position, from the page's upper "
            "left corner. An element's outline encloses the squares with clicks on it.",
        )
