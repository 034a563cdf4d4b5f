"""What each chart must show, recounted by plain Python from a list of events."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from statistics import median
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

from tests.integration.warehouse.recount import Event, recount

Rows = list[dict[str, Any]]

ENOUGH_VIEWS: Final = 20
"""Views from which on the conversion of an event title is shown."""

DEFAULT_DAYS: Final = 30
"""Days of the data that charts show where no range is chosen."""

LATENESS: Final = (
    (timedelta(minutes=1), "1. within a minute"),
    (timedelta(hours=1), "2. within an hour"),
    (timedelta(days=1), "3. within a day"),
    (timedelta(days=7), "4. within a week"),
    (timedelta.max, "5. later"),
)


@dataclass(frozen=True)
class Shown:
    """What a chart has to do with.

    Attributes:
        events: The events of the segment that is chosen, of all days.
        first: First day that is shown.
        last: Last day that is shown.
    """

    events: list[Event]
    first: date
    last: date

    def within(self) -> list[Event]:
        """The events of the days that are shown."""
        return [event for event in self.events if self.first <= event["created_at"].date() <= self.last]

    def has(self, day: date) -> bool:
        """Whether a day is shown."""
        return self.first <= day <= self.last


def _grouped(events: Iterable[Event], *fields: str) -> Iterator[tuple[dict[str, Any], list[Event]]]:
    groups: dict[tuple[Any, ...], list[Event]] = defaultdict(list)
    for event in events:
        groups[tuple(_value(event, field) for field in fields)].append(event)
    for key, group in groups.items():
        yield dict(zip(fields, key, strict=True)), group


def _value(event: Event, field: str) -> Any:
    moment: datetime = event["created_at"]
    match field:
        case "date":
            return moment.date()
        case "hour":
            return moment.replace(minute=0, second=0, microsecond=0)
        case "hour_of_day":
            return moment.hour
        case "received_date":
            received: datetime = event["received_at"]
            return received.date()
        case "lateness":
            late = event["received_at"] - moment
            return next(name for bound, name in LATENESS if late < bound)
        case _:
            return event[field]


def _activity(events: list[Event]) -> dict[str, Any]:
    views = [event for event in events if event["type"] == "view"]
    page_views = sum(event["element_id"] == "html" for event in views)
    clicks = len(events) - len(views)
    element_views = len(views) - page_views
    return {
        "page_views_total": page_views,
        "views_total": element_views,
        "clicks_total": clicks,
        "conversion_percent": 100 * clicks / element_views if element_views else None,
    }


def of_elements(rows: Callable[[Shown], Rows]) -> Callable[[Shown], Rows]:
    """The same of events of elements alone, without those of the page itself."""

    def without_pages(shown: Shown) -> Rows:
        events = [event for event in shown.events if event["element_id"] != "html"]
        return rows(Shown(events, shown.first, shown.last))

    return without_pages


def activity_by(*fields: str, metrics: tuple[str, ...]) -> Callable[[Shown], Rows]:
    """Views, clicks or their ratio by some fields."""

    def rows(shown: Shown) -> Rows:
        return [
            {**key, **{metric: _activity(group)[metric] for metric in metrics}}
            for key, group in _grouped(shown.within(), *fields)
        ]

    return rows


def of_view(view: str, columns: tuple[str, ...], wanted: Mapping[str, str]) -> Callable[[Shown], Rows]:
    """Columns of a view with a row a day; the first column is the day, `wanted` maps columns to metrics."""

    def rows(shown: Shown) -> Rows:
        named = (dict(zip(columns, row, strict=True)) for row in recount(shown.events)[view])
        return [
            {"date": row["date"], **{metric: row[column] for column, metric in wanted.items()}}
            for row in named
            if shown.has(row["date"])
        ]

    return rows


def count_by(*fields: str, metric: str = "events_total") -> Callable[[Shown], Rows]:
    """The number of events by some fields."""
    return lambda shown: [{**key, metric: len(group)} for key, group in _grouped(shown.within(), *fields)]


def distinct_by(*fields: str, of: str, metric: str) -> Callable[[Shown], Rows]:
    """Distinct users or sessions by some fields."""
    return lambda shown: [
        {**key, metric: len({event[of] for event in group})}
        for key, group in _grouped(shown.within(), *fields)
    ]


def funnel(shown: Shown) -> Rows:
    """Views, clicks and clicks on what is called checkout."""
    clicks = [event for event in shown.within() if event["type"] == "click"]
    steps = {
        "View": _activity(shown.within())["views_total"],
        "Click": len(clicks),
        "Checkout": sum(event["event_title"] == "checkout" for event in clicks),
    }
    return [
        {
            "step": step,
            "events_total": events,
            "percent_of_views": 100 * events / steps["View"] if steps["View"] else None,
        }
        for step, events in steps.items()
    ]


def conversion_by_event_title(shown: Shown) -> Rows:
    """Of the titles with enough views."""
    by_title = of_elements(activity_by("event_title", metrics=("views_total", "conversion_percent")))(shown)
    return [
        {
            "event_title": row["event_title"],
            "trusted_conversion_percent": row["conversion_percent"]
            if row["views_total"] >= ENOUGH_VIEWS
            else None,
        }
        for row in by_title
    ]


def visits_by_day(field: str, metric: str) -> Callable[[Shown], Rows]:
    """Distinct sessions by day.

    A visit that counts once a day is an event here: there, the days add up.
    """

    def rows(shown: Shown) -> Rows:
        key = "session_id" if metric == "visits" else "visit_id"
        return distinct_by("date", field, of=key, metric=metric)(shown)

    return rows


def top_pages(shown: Shown) -> Rows:
    """Visits and activity by page and site."""
    return [
        {**key, **_activity(group), "visits": len({event["session_id"] for event in group})}
        for key, group in _grouped(shown.within(), "url_path", "url_host")
    ]


def of_top_elements(*fields: str, metric: str) -> Callable[[Shown], Rows]:
    """Of the twenty elements with most events."""

    def rows(shown: Shown) -> Rows:
        totals = Counter(event["element_id"] for event in shown.within() if event["element_id"] != "html")
        top = sorted(totals, key=lambda name: (-totals[name], name))[:20]
        events = [event for event in shown.events if event["element_id"] in top]
        return activity_by(*fields, metrics=(metric,))(Shown(events, shown.first, shown.last))

    return rows


def pages_by_day(shown: Shown) -> Rows:
    """The view page_views, whole rows."""
    columns = (
        *("date", "url_path", "views", "clicks", "users", "sessions"),
        *("page_views", "element_views"),
    )
    rows = [dict(zip(columns, row, strict=True)) for row in recount(shown.within())["page_views"]]
    return [{name: value for name, value in row.items() if name != "views"} for row in rows]


def page_views_by_day(shown: Shown) -> Rows:
    """Page views and visits by day."""
    return [
        {
            **key,
            "page_views_total": _activity(group)["page_views_total"],
            "visits": len({event["session_id"] for event in group}),
        }
        for key, group in _grouped(shown.within(), "date")
    ]


def daily_visits(events: list[Event]) -> list[Event]:
    """Each session once a day: its first event of the day, and what it did on it."""
    visits = []
    for key, group in _grouped(events, "date", "session_id"):
        first = min(group, key=lambda event: (event["created_at"], event["id"]))
        query = parse_qs(urlsplit(first["url"]).query)
        visits.append(
            {
                **first,
                "visit_id": tuple(key.values()),
                "referrer_host": _origin(first),
                **{
                    name: query.get(name, ["(none)"])[0]
                    for name in ("utm_source", "utm_medium", "utm_campaign")
                },
                "has_click": any(event["type"] == "click" for event in group),
                "events": len(group),
            }
        )
    return visits


def _origin(event: Event) -> str:
    if not event["referrer"]:
        return "(direct)"
    host = (urlsplit(event["referrer"]).hostname or "").removeprefix("www.")
    return "(own site)" if host in ("", event["url_host"].removeprefix("www.")) else host


def visits_from(*fields: str) -> Callable[[Shown], Rows]:
    """Visits that count once a day, by where they came from."""
    return lambda shown: [
        {
            **key,
            "sessions_total": len(group),
            "clicked_percent": 100 * sum(visit["has_click"] for visit in group) / len(group),
            "events_per_session": sum(visit["events"] for visit in group) / len(group),
        }
        for key, group in _grouped(shown.within(), *fields)
    ]


def of_the_period(shown: Shown) -> dict[str, float | None]:
    """The figures of the whole period: sessions that started in it, and its conversion."""
    durations: list[float] = []
    single = 0
    for _, group in _grouped(shown.events, "session_id"):
        moments = [event["created_at"] for event in group]
        if shown.has(min(moments).date()):
            durations += [(max(moments) - min(moments)).total_seconds()] if len(group) > 1 else []
            single += len(group) == 1
    sessions = len(durations) + single
    return {
        "sessions_total": sessions,
        "average_seconds": sum(durations) / len(durations),
        "median_seconds": median(durations),
        "single_event_percent": 100 * single / sessions,
        "conversion_percent": _activity(shown.within())["conversion_percent"],
        "page_views_total": _activity(shown.within())["page_views_total"],
    }


OF_A_PERIOD: Final = {
    "conversion": "conversion_percent",
    "page_views": "page_views_total",
    "sessions": "sessions_total",
    "average_session": "average_seconds",
    "median_session": "median_seconds",
    "single_event_sessions": "single_event_percent",
}
"""Cards with one figure for all the days shown, and its metric."""

OF_VISITS: Final = frozenset({"referrers", "campaigns", "referrers_by_day"})
"""Charts of visits that count once a day, by their first event."""


def single_event_sessions(shown: Shown) -> Rows:
    """Their share by day."""
    rows = of_view(
        "session_durations", _SESSIONS, {"sessions": "sessions", "single_event_sessions": "single"}
    )(shown)
    return [
        {"date": row["date"], "single_event_percent": 100 * row["single"] / row["sessions"]} for row in rows
    ]


def elements_by_day(shown: Shown) -> Rows:
    """The view element_conversion, whole rows."""
    columns = (
        *("date", "url_path", "element_id", "event_title"),
        *("views", "clicks", "conversion_percent", "sessions_viewed", "sessions_clicked"),
    )
    rows = [dict(zip(columns, row, strict=True)) for row in recount(shown.within())["element_conversion"]]
    return [row for row in rows if row["element_id"] != "html"]


def click_positions(shown: Shown) -> Rows:
    """Clicks in squares of 40 pixels, but for absurd positions."""
    squares: Counter[tuple[int, int]] = Counter()
    for event in shown.within():
        if event["type"] == "click" and event["x"] < 4_000 and event["y"] < 12_000:
            squares[event["x"] // 40 * 40, event["y"] // 40 * 40] += 1
    return [{"x": x, "y": y, "clicks_total": clicks} for (x, y), clicks in squares.items()]


def clicked_width(shown: Shown) -> Rows:
    """The right edge of the rightmost square with clicks."""
    squares = click_positions(shown)
    return [{"width_px": max(row["x"] for row in squares) + 40}] if squares else []


def clicked_elements(shown: Shown) -> Rows:
    """Clicks by element."""
    clicks = [event for event in shown.within() if event["type"] == "click"]
    return [{**key, "clicks_total": len(group)} for key, group in _grouped(clicks, "element_id")]


def by_own_field(events: Iterable[Event]) -> list[Event]:
    """Each event once for each of its own fields."""
    return [
        {**event, "field": field, "value": value}
        for event in events
        for field, value in event["own_fields"].items()
    ]


def own_field_values(shown: Shown) -> Rows:
    """Activity, and sessions that count once for each day."""
    metrics = ("page_views_total", "views_total", "clicks_total", "conversion_percent")
    rows = activity_by("field", "value", metrics=metrics)(shown)
    for row in rows:
        events = [
            event
            for event in shown.within()
            if (event["field"], event["value"]) == (row["field"], row["value"])
        ]
        viewed, clicked = (_daily_sessions(events, kind) for kind in ("view", "click"))
        row["sessions_total"] = len({(event["created_at"].date(), event["session_id"]) for event in events})
        row["sessions_clicked_percent"] = 100 * clicked / viewed if viewed else None
    return rows


def _daily_sessions(events: Iterable[Event], kind: str) -> int:
    return len(
        {(event["created_at"].date(), event["session_id"]) for event in events if event["type"] == kind}
    )


def own_field_coverage(shown: Shown) -> Rows:
    """Every field; none has so many values that some are left out."""
    rows = []
    for key, events in _grouped(shown.within(), "field"):
        by_day = [{event["value"] for event in of_day} for _, of_day in _grouped(events, "date")]
        rows.append(
            {
                **key,
                "events_total": len(events),
                "values_found_most": max(map(len, by_day)),
                "other_percent": 0.0,
            }
        )
    return rows


_USERS: Final = ("date", "dau", "wau", "mau")
_SESSIONS: Final = ("date", "sessions", "average_seconds", "median_seconds", "single_event_sessions")


def _users(*metrics: str) -> Callable[[Shown], Rows]:
    return of_view("daily_active_users", _USERS, {metric: metric for metric in metrics})


EXPECTED: Final[Mapping[str, Callable[[Shown], Rows]]] = {
    "daily_active_users": _users("dau"),
    "weekly_active_users": _users("wau"),
    "monthly_active_users": _users("mau"),
    "active_users_by_day": _users("dau", "wau", "mau"),
    "page_views": activity_by("date", metrics=("page_views_total",)),
    "page_views_by_day": page_views_by_day,
    "page_views_by_site": activity_by("date", "url_host", metrics=("page_views_total",)),
    "conversion": activity_by("date", metrics=("conversion_percent",)),
    "clicks_and_views_by_day": activity_by("date", metrics=("views_total", "clicks_total")),
    "sessions": of_view("session_durations", _SESSIONS, {"sessions": "sessions_total"}),
    "average_session": of_view("session_durations", _SESSIONS, {"average_seconds": "average_seconds"}),
    "median_session": of_view("session_durations", _SESSIONS, {"median_seconds": "median_seconds"}),
    "single_event_sessions": single_event_sessions,
    "top_pages": top_pages,
    "clicks_by_element_and_hour": of_top_elements("hour_of_day", "element_id", metric="clicks_total"),
    "conversion_by_element_and_day": of_top_elements("date", "element_id", metric="conversion_percent"),
    "referrers": visits_from("referrer_host"),
    "campaigns": visits_from("utm_source", "utm_medium", "utm_campaign"),
    "referrers_by_day": visits_by_day("referrer_host", "sessions_total"),
    "conversion_by_element": of_elements(
        activity_by(
            *("element_id", "url_path", "url_host"),
            metrics=("views_total", "clicks_total", "conversion_percent"),
        )
    ),
    "conversion_by_event_title": conversion_by_event_title,
    "activity_by_hour": activity_by("hour", metrics=("page_views_total", "views_total", "clicks_total")),
    "funnel": funnel,
    "devices": distinct_by("device_type", of="user_id", metric="users"),
    "session_duration_by_day": of_view(
        "session_durations",
        _SESSIONS,
        {"average_seconds": "average_seconds", "median_seconds": "median_seconds"},
    ),
    "sessions_by_day": of_view(
        "session_durations",
        _SESSIONS,
        {"sessions": "sessions_total", "single_event_sessions": "single_event_sessions_total"},
    ),
    "events_by_source": count_by("date", "source"),
    "sessions_by_page": distinct_by("date", "url_host", "url_path", of="session_id", metric="visits"),
    "sessions_by_device": distinct_by("date", "device_type", of="session_id", metric="visits"),
    "pages_by_day": pages_by_day,
    "elements_by_day": elements_by_day,
    "click_positions": click_positions,
    "clicked_elements": clicked_elements,
    "clicked_width": clicked_width,
    "own_field_conversion": activity_by("value", metrics=("conversion_percent",)),
    "own_field_conversion_by_day": activity_by("date", "value", metrics=("conversion_percent",)),
    "own_field_values": own_field_values,
    "own_field_elements": of_elements(
        activity_by("element_id", "value", metrics=("views_total", "clicks_total", "conversion_percent"))
    ),
    "own_field_coverage": own_field_coverage,
}
"""What each chart of events shows, by its slug."""


def as_shown(rows: Rows) -> set[tuple[tuple[str, Any], ...]]:
    """Rows to compare: no order, numbers to nine digits, times as Superset sends them (milliseconds)."""
    return {tuple(sorted((name, _plain(value)) for name, value in row.items())) for row in rows}


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return round(value.timestamp() * 1_000)
    if isinstance(value, date):
        return round(datetime(value.year, value.month, value.day, tzinfo=UTC).timestamp() * 1_000)
    if isinstance(value, float):
        return float(f"{value:.9g}")
    return value
