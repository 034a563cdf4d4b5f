"""What one day counts, kept while its events come and then turned into the rows of the answer key."""

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Final

from generator.plan import DAY_MS
from generator.sessions import Event, Session
from generator.shop import PAGE_ELEMENT

HOUR_MS: Final = 3_600_000
BIN_PIXELS: Final = 20
ALL_ELEMENTS: Final = ""
"""Stands for all elements together where values of own fields are counted."""

Cell = int | float | str | None
Row = list[Cell]


class Crowd:
    """Views and clicks, and the distinct sessions and users that they come from.

    Sessions come whole and one after the other, so a session is new if it isn't the last one counted.
    """

    __slots__ = ("clicks", "last_session", "sessions", "users", "views")

    def __init__(self) -> None:
        self.views = 0
        self.clicks = 0
        self.sessions = 0
        self.users: set[int] = set()
        self.last_session = -1

    def add(self, *, is_click: bool, user: int, session: int) -> None:
        """Count an event."""
        if is_click:
            self.clicks += 1
        else:
            self.views += 1
        if self.last_session != session:
            self.last_session = session
            self.sessions += 1
            self.users.add(user)


class ElementCount:
    """Views and clicks of an element, and the distinct sessions of each."""

    __slots__ = (
        *("clicks", "last_clicked", "last_session", "last_viewed"),
        *("sessions", "sessions_clicked", "sessions_viewed", "views"),
    )

    def __init__(self) -> None:
        self.sessions = 0
        self.last_session = -1
        self.views = 0
        self.clicks = 0
        self.sessions_viewed = 0
        self.sessions_clicked = 0
        self.last_viewed = -1
        self.last_clicked = -1

    def add(self, *, is_click: bool, session: int) -> None:
        """Count an event."""
        if self.last_session != session:
            self.last_session = session
            self.sessions += 1
        if is_click:
            self.clicks += 1
            if self.last_clicked != session:
                self.last_clicked = session
                self.sessions_clicked += 1
        else:
            self.views += 1
            if self.last_viewed != session:
                self.last_viewed = session
                self.sessions_viewed += 1

    def activity(self) -> list[Cell]:
        """Views, clicks, and clicks for 100 views."""
        return [self.views, self.clicks, 100 * self.clicks / self.views if self.views else None]


class DayTally:
    """Everything that the views show of one day (UTC)."""

    def __init__(self, day: int) -> None:
        self.day = day
        self.users: set[int] = set()
        self.elements: dict[tuple[str, str, str], ElementCount] = {}
        self.activity: dict[tuple[int, str], list[int]] = {}
        self.devices: dict[str, Crowd] = {}
        self.pages: dict[str, Crowd] = {}
        self.page_views: Counter[str] = Counter()
        self.positions: dict[tuple[str, str, int, int], int] = {}
        self.own_fields: dict[str, dict[str, dict[str, ElementCount]]] = {}
        self.durations_ms: list[int] = []
        self.single_event_sessions = 0

    def add_event(self, event: Event, device_type: str, user: int, session: int) -> None:
        """Count an event of this day.

        Args:
            event: The event.
            device_type: What it counts as.
            user: The user's id.
            session: Number of the session.
        """
        element = event.element
        path, element_id, is_click = element.url_path, element.element_id, event.is_click
        key = (path, element_id, element.event_title)
        count = self.elements.get(key)
        if count is None:
            count = self.elements[key] = ElementCount()
        count.add(is_click=is_click, session=session)

        hour = (event.created_ms // HOUR_MS, element_id)
        activity = self.activity.get(hour)
        if activity is None:
            activity = self.activity[hour] = [0, 0]
        activity[is_click] += 1

        page = self.pages.get(path)
        if page is None:
            page = self.pages[path] = Crowd()
        page.add(is_click=is_click, user=user, session=session)
        if element_id == PAGE_ELEMENT and not is_click:
            self.page_views[path] += 1

        device = self.devices.get(device_type)
        if device is None:
            device = self.devices[device_type] = Crowd()
        device.add(is_click=is_click, user=user, session=session)

        for field, value in event.own_fields:
            self._add_own_field(field, value, element_id, is_click=is_click, session=session)

        if is_click:
            position = (path, element_id, event.x - event.x % BIN_PIXELS, event.y - event.y % BIN_PIXELS)
            self.positions[position] = self.positions.get(position, 0) + 1

    def _add_own_field(
        self, field: str, value: str, element_id: str, *, is_click: bool, session: int
    ) -> None:
        """Count an event for its element, and for all elements, whose name is empty."""
        counts = self.own_fields.setdefault(field, {}).setdefault(value, {})
        for name in (element_id, ALL_ELEMENTS):
            if name not in counts:
                counts[name] = ElementCount()
            counts[name].add(is_click=is_click, session=session)

    def add_session_start(self, events: int, duration_ms: int) -> None:
        """Count a session that begins on this day."""
        if events == 1:
            self.single_event_sessions += 1
        else:
            self.durations_ms.append(duration_ms)

    def rows(self) -> dict[str, Iterable[Row]]:
        """The rows of each view but `daily_active_users`, sorted."""
        return {
            "element_conversion": self._element_conversion(),
            "element_activity": (
                [format_hour(hour), element_id, *self.activity[hour, element_id]]
                for hour, element_id in sorted(self.activity)
            ),
            "session_durations": self._session_durations(),
            "device_types": (
                [self.date, device_type, crowd.views + crowd.clicks, crowd.sessions, len(crowd.users)]
                for device_type, crowd in sorted(self.devices.items())
            ),
            "page_views": (
                [
                    *(self.date, path, crowd.views, crowd.clicks, len(crowd.users), crowd.sessions),
                    *(self.page_views[path], crowd.views - self.page_views[path]),
                ]
                for path, crowd in sorted(self.pages.items())
            ),
            "click_positions": (
                [self.date, *position, clicks] for position, clicks in sorted(self.positions.items())
            ),
            "own_fields": (
                [
                    *(self.date, field, value, *count.activity()),
                    *(count.sessions, count.sessions_viewed, count.sessions_clicked, len(values)),
                    *(page_views, count.views - page_views),
                ]
                for field, values in sorted(self.own_fields.items())
                for value, counts in sorted(values.items())
                for count in (counts[ALL_ELEMENTS],)
                for page_views in (counts[PAGE_ELEMENT].views if PAGE_ELEMENT in counts else 0,)
            ),
            "own_field_elements": (
                [
                    self.date,
                    field,
                    value,
                    name,
                    *count.activity(),
                    count.sessions_viewed,
                    count.sessions_clicked,
                ]
                for field, values in sorted(self.own_fields.items())
                for value, counts in sorted(values.items())
                for name, count in sorted(counts.items())
                if name != ALL_ELEMENTS
            ),
        }

    @property
    def date(self) -> str:
        """The day as `YYYY-MM-DD`."""
        return format_date(self.day)

    def _element_conversion(self) -> Iterator[Row]:
        for key, count in sorted(self.elements.items(), key=lambda item: item[0]):
            yield [self.date, *key, *count.activity(), count.sessions_viewed, count.sessions_clicked]

    def _session_durations(self) -> Iterator[Row]:
        durations = sorted(self.durations_ms)
        sessions = len(durations) + self.single_event_sessions
        if not sessions:
            return
        average = median = None
        if durations:
            middle = len(durations) // 2
            average = sum(durations) / len(durations) / 1_000
            # The middle two, which are one and the same where the number is odd.
            median = (durations[~middle] + durations[middle]) / 2 / 1_000
        yield [self.date, sessions, average, median, self.single_event_sessions]


def add_events(days: dict[int, DayTally], session: Session, events: Iterable[Event], number: int) -> None:
    """Count the events of a session, each on its own day.

    Args:
        days: Tallies by day since 1970; days that are missing are added.
        session: The session.
        events: Its events, but for those of bots.
        number: Tells the session from every other; not negative.
    """
    user = session.person.user_id
    device_type = session.device.device_type
    tally: DayTally | None = None
    for event in events:
        day = event.created_ms // DAY_MS
        if tally is None or tally.day != day:
            tally = days.get(day)
            if tally is None:
                tally = days[day] = DayTally(day)
            tally.users.add(user)
        tally.add_event(event, event.device_type or device_type, user, number)


def format_date(day: int) -> str:
    """A day since 1970 as `YYYY-MM-DD`."""
    return datetime.fromtimestamp(day * DAY_MS // 1_000, tz=UTC).strftime("%Y-%m-%d")


def format_hour(hour: int) -> str:
    """An hour since 1970 as `YYYY-MM-DDTHH:00:00Z`."""
    return datetime.fromtimestamp(hour * HOUR_MS // 1_000, tz=UTC).strftime("%Y-%m-%dT%H:00:00Z")
