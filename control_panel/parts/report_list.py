"""The reports: their queries, how each is computed, and their charts."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import pyarrow as pa
import streamlit as st

from control_panel import charts

DEVICES: Final = ("desktop", "mobile", "tablet")
SITE: Final = "site"
DEVICE_TYPE: Final = "type of device"
COUNTRY: Final = "country"
NAMES: Final = {
    "date": "Day (UTC)",
    "dau": "DAU",
    "wau": "WAU",
    "mau": "MAU",
    "page_views": "Page views",
    "views": "Element views",
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
    "url_host": "Site",
    "visits": "Visits",
    "referrer_host": "Came from",
    "utm_source": "Source (utm_source)",
    "utm_medium": "Medium (utm_medium)",
    "utm_campaign": "Campaign (utm_campaign)",
    "clicked_percent": "With a click %",
    "sessions_clicked_percent": "Sessions that clicked %",
    "events_per_visit": "Events per visit",
    "field": "Own field",
    "value": "Value",
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
        chosen_by: A column; people may choose one of its values and see its rows alone. Empty for none.
        ignores: The filters that it cannot apply, by their names in a sentence.
        nothing: What is said if it has no row.
    """

    title: str
    name: str
    view: str
    explanation: str
    draw: Callable[[pa.Table], None]
    chosen_by: str = ""
    ignores: tuple[str, ...] = ()
    nothing: str = "There are no events for these days and filters. Choose other days, or remove a filter."


def page_names(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """What people call the page of each row: its path, and its site where there are several."""
    is_one_site = len({row["url_host"] for row in rows}) == 1
    return [row["url_path"] if is_one_site else f"{row['url_host']} {row['url_path']}" for row in rows]


def _draw_users(table: pa.Table) -> None:
    charts.lines(
        table, "date", ["dau", "wau", "mau"], names=NAMES, alt="Active users by day", key="report users"
    )


def _draw_activity(table: pa.Table) -> None:
    charts.lines(
        table,
        "date",
        ["page_views", "views", "clicks"],
        names=NAMES,
        alt="Page views, element views and clicks by day",
        key="report activity",
    )


def _draw_sessions(table: pa.Table) -> None:
    left, right = st.columns(2)
    with left:
        charts.lines(
            table,
            "date",
            ["average_seconds", "median_seconds"],
            names=NAMES,
            alt="Average and median duration of sessions by day, in seconds",
            key="report durations",
        )
    with right:
        charts.lines(
            table,
            "date",
            ["sessions", "single_event_sessions"],
            names=NAMES,
            alt="Sessions by day",
            key="report sessions",
        )


def _draw_elements(table: pa.Table) -> None:
    top = table.slice(0, 15)
    rows = top.to_pylist()
    names = [
        f"{row['element_id']} {page} · {_percent(row)}"
        for row, page in zip(rows, page_names(rows), strict=True)
    ]
    charts.bars(
        top.select(["views", "clicks"]).append_column("name", pa.array(names)),
        "name",
        ["views", "clicks"],
        names=NAMES,
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
    top = table.slice(0, 15)
    _draw_top(
        top, page_names(top.to_pylist()), ["visits"], "Visits of the most visited pages", "report pages"
    )


def _draw_sources(table: pa.Table) -> None:
    top = table.slice(0, 15)
    names = [str(host) for host in top["referrer_host"].to_pylist()]
    _draw_top(top, names, ["visits"], "Visits by where they come from", "report sources")


def _draw_campaigns(table: pa.Table) -> None:
    top = table.slice(0, 15)
    names = [
        " · ".join([row["utm_source"], row["utm_medium"], row["utm_campaign"]]) for row in top.to_pylist()
    ]
    _draw_top(top, names, ["visits"], "Visits by campaign", "report campaigns")


def _draw_own_fields(table: pa.Table) -> None:
    top = table.slice(0, 15)
    names = [f"{row['field']} = {row['value']} · {_percent(row)}" for row in top.to_pylist()]
    alt = "Views, clicks and conversion by value of fields of your own"
    _draw_top(top, names, ["views", "clicks"], alt, "report own fields")


def _draw_top(top: pa.Table, names: list[str], columns: list[str], alt: str, key: str) -> None:
    charts.bars(
        top.select(columns).append_column("name", pa.array(names)),
        "name",
        columns,
        names=NAMES,
        alt=alt,
        key=key,
        height=max(140, 28 * len(top)),
        horizontal=True,
    )


def _draw_hours(table: pa.Table) -> None:
    hours = pa.array([f"{hour:02d}" for hour in table["hour_of_day"].to_pylist()])
    charts.bars(
        table.select(["page_views", "views", "clicks"]).append_column("hour", hours),
        "hour",
        ["page_views", "views", "clicks"],
        names=NAMES,
        alt="Page views, element views and clicks by the hour of the day",
        key="report hours",
    )


def _draw_devices(table: pa.Table) -> None:
    by_day: dict[date, dict[str, int]] = {}
    for row in table.to_pylist():
        by_day.setdefault(row["date"], {})[row["device_type"]] = row["users"]
    present = [device for device in DEVICES if any(device in users for users in by_day.values())]
    columns = {device: [users.get(device, 0) for users in by_day.values()] for device in present}
    charts.lines(
        pa.table({"date": list(by_day), **columns}),
        "date",
        present,
        names={},
        alt="Users by type of device and day",
        key="report devices",
    )


REPORTS: Final = (
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
        "Page views, views of elements and clicks by the day of `created_at`. Conversion is 100 × clicks / "
        "views of elements.",
        _draw_activity,
    ),
    Report(
        "Conversion by element",
        "elements",
        "segment_activity",
        "Views and clicks of each element on each page of each site; conversion is 100 × clicks / views, "
        "and empty where there are no views.",
        _draw_elements,
    ),
    Report(
        "Pages",
        "pages",
        "segment_visits",
        "Visits are distinct sessions with an event on the page: the path without query and fragment, and "
        "the site. Page views say how often the page was opened. Element views and clicks are of its "
        "elements; conversion is 100 × clicks / element views.",
        _draw_pages,
    ),
    Report(
        "Sources",
        "sources",
        "visit_sources",
        "The host of the referrer of the first event of a visit. (direct) has no referrer, (own site) comes "
        "from another page of the same site. A visit counts once for each of its days.",
        _draw_sources,
    ),
    Report(
        "Campaigns",
        "campaigns",
        "visit_sources",
        "The parameters `utm_source`, `utm_medium` and `utm_campaign` of the URL of the first event of a "
        "visit. A visit counts once for each of its days.",
        _draw_campaigns,
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
    ),
    Report(
        "Time of day",
        "hours",
        "segment_activity",
        "Page views, element views and clicks by the hour (UTC) of `created_at`, over all days chosen.",
        _draw_hours,
    ),
    Report(
        "Own fields",
        "own_fields",
        "own_fields",
        "Events by the value of each field of the payload that is not one of the contract. A session counts "
        "once for each day on which it has the value. Rare values of a day are counted as (other).",
        _draw_own_fields,
        chosen_by="field",
        ignores=(SITE, DEVICE_TYPE, COUNTRY),
        nothing="No event of these days has a field in its payload besides those of the contract. Add one to "
        "your events, such as the variant of a test; docs/own-fields.md shows how.",
    ),
)
