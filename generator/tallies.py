"""What one day counts, kept while its events come and then turned into the rows of the answer key."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Final

from generator.plan import DAY_MS
from generator.sessions import Session

HOUR_MS: Final = 3_600_000
BIN_PIXELS: Final = 20

Cell = int | float | str | None
Row = list[Cell]


class Crowd:
    """Events, and the distinct sessions and users that they come from.

    Sessions come whole and one after the other, so a session is new if it isn't the last one counted.
    """

    __slots__ = ("clicks", "last_session", "sessions", "users", "views")

    def __init__(self) -> None:
        self.views = 0
        self.clicks = 0
        self.sessions = 0
        self.users: set[int] = set()
        self.last_session = -1


class ElementCount:
    """Views and clicks of an element, and the distinct sessions that they come from."""

    __slots__ = ("clicks", "last_clicked", "last_viewed", "sessions_clicked", "sessions_viewed", "views")

    def __init__(self) -> None:
        self.views = 0
        self.clicks = 0
        self.sessions_viewed = 0
        self.sessions_clicked = 0
        self.last_viewed = -1
        self.last_clicked = -1


class DayTally:
    """Everything that the views show of one day (UTC)."""

    def __init__(self, day: int) -> None:
        self.day = day
        self.users: set[int] = set()
        self.elements: dict[tuple[str, str, str], ElementCount] = {}
        self.activity: dict[tuple[int, str], list[int]] = {}
        self.devices: dict[str, Crowd] = {}
        self.pages: dict[str, Crowd] = {}
        self.positions: dict[tuple[str, str, int, int], int] = {}
        self.durations_ms: list[int] = []
        self.single_event_sessions = 0

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
                [self.date, path, crowd.views, crowd.clicks, len(crowd.users), crowd.sessions]
                for path, crowd in sorted(self.pages.items())
            ),
            "click_positions": (
                [self.date, *position, clicks] for position, clicks in sorted(self.positions.items())
            ),
        }

    @property
    def date(self) -> str:
        """The day as `YYYY-MM-DD`."""
        return format_date(self.day)

    def _element_conversion(self) -> Iterator[Row]:
        for key, count in sorted(self.elements.items(), key=lambda item: item[0]):
            percent = 100 * count.clicks / count.views if count.views else None
            sessions = (count.sessions_viewed, count.sessions_clicked)
            yield [self.date, *key, count.views, count.clicks, percent, *sessions]

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


def add_events(days: dict[int, DayTally], session: Session, number: int) -> None:
    """Count the events of a session, each on its own day.

    Args:
        days: Tallies by day since 1970; days that are missing are added.
        session: The session with all its events.
        number: Tells the session from every other; not negative.
    """
    user = session.person.user_id
    tally: DayTally | None = None
    for event in session.events:
        created_ms = event.created_ms
        day = created_ms // DAY_MS
        if tally is None or tally.day != day:
            tally = days.get(day)
            if tally is None:
                tally = days[day] = DayTally(day)
            tally.users.add(user)
        element = event.element
        is_click = event.is_click

        key = (element.url_path, element.element_id, element.event_title)
        count = tally.elements.get(key)
        if count is None:
            count = tally.elements[key] = ElementCount()
        hour = (created_ms // HOUR_MS, element.element_id)
        activity = tally.activity.get(hour)
        if activity is None:
            activity = tally.activity[hour] = [0, 0]
        page = _find_crowd(tally.pages, element.url_path, user, number)
        device = _find_crowd(tally.devices, event.device_type or session.device.device_type, user, number)

        if is_click:
            count.clicks += 1
            activity[1] += 1
            page.clicks += 1
            device.clicks += 1
            if count.last_clicked != number:
                count.last_clicked = number
                count.sessions_clicked += 1
            x_bin = event.x - event.x % BIN_PIXELS
            y_bin = event.y - event.y % BIN_PIXELS
            position = (element.url_path, element.element_id, x_bin, y_bin)
            tally.positions[position] = tally.positions.get(position, 0) + 1
        else:
            count.views += 1
            activity[0] += 1
            page.views += 1
            device.views += 1
            if count.last_viewed != number:
                count.last_viewed = number
                count.sessions_viewed += 1


def _find_crowd(crowds: dict[str, Crowd], name: str, user: int, session: int) -> Crowd:
    """The crowd of that name, the session and its user counted."""
    crowd = crowds.get(name)
    if crowd is None:
        crowd = crowds[name] = Crowd()
    if crowd.last_session != session:
        crowd.last_session = session
        crowd.sessions += 1
        crowd.users.add(user)
    return crowd


def format_date(day: int) -> str:
    """A day since 1970 as `YYYY-MM-DD`."""
    return datetime.fromtimestamp(day * DAY_MS // 1_000, tz=UTC).strftime("%Y-%m-%d")


def format_hour(hour: int) -> str:
    """An hour since 1970 as `YYYY-MM-DDTHH:00:00Z`."""
    return datetime.fromtimestamp(hour * HOUR_MS // 1_000, tz=UTC).strftime("%Y-%m-%dT%H:00:00Z")
