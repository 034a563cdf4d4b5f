"""Every view recounted from a list of events by plain Python, by the definitions of the design."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, date, datetime, timedelta
from statistics import median
from typing import Any

Event = dict[str, Any]
Rows = set[tuple[Any, ...]]


def recount(events: list[Event]) -> dict[str, Rows]:
    """The rows of each view, by its name."""
    return {
        "daily_active_users": daily_active_users(events),
        "element_conversion": element_conversion(events),
        "element_activity": element_activity(events),
        "session_durations": session_durations(events),
        "device_types": device_types(events),
        "page_views": page_views(events),
        "click_positions": click_positions(events),
        "own_fields": own_fields(events),
        "own_field_elements": own_field_elements(events),
    }


def _day(event: Event) -> date:
    moment: datetime = event["created_at"]
    return moment.date()


def _group(
    events: Iterable[Event], key: Callable[[Event], tuple[Any, ...]]
) -> dict[tuple[Any, ...], list[Event]]:
    groups: dict[tuple[Any, ...], list[Event]] = defaultdict(list)
    for event in events:
        groups[key(event)].append(event)
    return groups


def _count(events: list[Event], kind: str) -> int:
    return sum(event["type"] == kind for event in events)


def _distinct(events: Iterable[Event], field: str) -> int:
    return len({event[field] for event in events})


def daily_active_users(events: list[Event]) -> Rows:
    users: dict[date, set[int]] = defaultdict(set)
    for event in events:
        users[_day(event)].add(event["user_id"])
    rows: Rows = set()
    day = min(users, default=date.max)
    while users and day <= max(users):
        windows = (
            set().union(*(users.get(day - timedelta(days=back), set()) for back in range(length)))
            for length in (1, 7, 30)
        )
        rows.add((day, *(len(window) for window in windows)))
        day += timedelta(days=1)
    return rows


def element_conversion(events: list[Event]) -> Rows:
    groups = _group(events, lambda e: (_day(e), e["url_path"], e["element_id"], e["event_title"]))
    return {(*key, *_activity(group)) for key, group in groups.items()}


def element_activity(events: list[Event]) -> Rows:
    groups = _group(
        events, lambda e: (e["created_at"].replace(minute=0, second=0, microsecond=0), e["element_id"])
    )
    return {(*key, _count(group, "view"), _count(group, "click")) for key, group in groups.items()}


def session_durations(events: list[Event]) -> Rows:
    durations: dict[date, list[int]] = defaultdict(list)
    single: dict[date, int] = defaultdict(int)
    for group in _group(events, lambda e: (e["session_id"],)).values():
        first, last = (pick(event["created_at"] for event in group) for pick in (min, max))
        if len(group) == 1:
            single[first.date()] += 1
        else:
            durations[first.date()].append((last - first) // timedelta(milliseconds=1))
    rows: Rows = set()
    for day in durations.keys() | single.keys():
        found = durations[day]
        average = sum(found) / len(found) / 1_000 if found else None
        middle = median(found) / 1_000 if found else None
        rows.add((day, len(found) + single[day], average, middle, single[day]))
    return rows


def device_types(events: list[Event]) -> Rows:
    return {
        (*key, len(group), _distinct(group, "session_id"), _distinct(group, "user_id"))
        for key, group in _group(events, lambda e: (_day(e), e["device_type"])).items()
    }


def page_views(events: list[Event]) -> Rows:
    return {
        (
            *key,
            _count(group, "view"),
            _count(group, "click"),
            _distinct(group, "user_id"),
            _distinct(group, "session_id"),
            *_of_pages_and_elements(group),
        )
        for key, group in _group(events, lambda e: (_day(e), e["url_path"])).items()
    }


def _of_pages_and_elements(events: list[Event]) -> tuple[int, int]:
    of_pages = [event for event in events if event["element_id"] == "html"]
    page_views = _count(of_pages, "view")
    return page_views, _count(events, "view") - page_views


def click_positions(events: list[Event]) -> Rows:
    clicks = [
        event
        for event in events
        if event["type"] == "click" and event["x"] is not None and event["y"] is not None
    ]
    groups = _group(
        clicks,
        lambda e: (_day(e), e["url_path"], e["element_id"], e["x"] // 20 * 20, e["y"] // 20 * 20),
    )
    return {(*key, len(group)) for key, group in groups.items()}


def _by_own_field(events: list[Event]) -> Iterator[tuple[date, str, str, list[Event]]]:
    found: dict[tuple[date, str, str], list[Event]] = defaultdict(list)
    for event in events:
        for field, value in dict(event.get("own_fields", ())).items():
            found[_day(event), field, value].append(event)
    for (day, field, value), group in found.items():
        yield day, field, value, group


def _activity(events: list[Event]) -> tuple[int, int, float | None, int, int]:
    views, clicks = _count(events, "view"), _count(events, "click")
    viewed, clicked = (
        _distinct((event for event in events if event["type"] == kind), "session_id")
        for kind in ("view", "click")
    )
    return views, clicks, 100 * clicks / views if views else None, viewed, clicked


def own_fields(events: list[Event]) -> Rows:
    values: dict[tuple[date, str], set[str]] = defaultdict(set)
    for day, field, value, _ in _by_own_field(events):
        values[day, field].add(value)
    rows: Rows = set()
    for day, field, value, group in _by_own_field(events):
        *activity, viewed, clicked = _activity(group)
        sessions = _distinct(group, "session_id")
        found = len(values[day, field])
        row = (day, field, value, *activity, sessions, viewed, clicked, found)
        rows.add((*row, *_of_pages_and_elements(group)))
    return rows


def own_field_elements(events: list[Event]) -> Rows:
    return {
        (day, field, value, element, *_activity(of_element))
        for day, field, value, group in _by_own_field(events)
        for (element,), of_element in _group(group, lambda e: (e["element_id"],)).items()
    }


def utc(text: str) -> datetime:
    """A time from its text without an offset."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)
