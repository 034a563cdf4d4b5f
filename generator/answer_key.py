"""The answer key: every view of the warehouse as it must come out.

It is counted from what the generator knows, session by session, and shares no code with the pipeline.
"""

import json
from collections import Counter, deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol

from clickstream.reasons import ErrorCode
from generator.plan import DAY_MS
from generator.sessions import Session
from generator.tallies import DayTally, Row, add_events, format_date

CSV: Final = "csv"
"""The source of the files that `csv_writer` writes."""

FORMAT: Final = "clickstream answer key, version 2"
"""Another version has other columns, or was made of other events by the same parameters."""

VIEW_COLUMNS: Final[dict[str, tuple[str, ...]]] = {
    "daily_active_users": ("date", "dau", "wau", "mau"),
    "element_conversion": (
        "date",
        "url_path",
        "element_id",
        "event_title",
        "views",
        "clicks",
        "conversion_percent",
        "sessions_viewed",
        "sessions_clicked",
    ),
    "element_activity": ("hour", "element_id", "views", "clicks"),
    "session_durations": (
        "date",
        "sessions",
        "average_seconds",
        "median_seconds",
        "single_event_sessions",
    ),
    "device_types": ("date", "device_type", "events", "sessions", "users"),
    "page_views": (
        *("date", "url_path", "views", "clicks", "users", "sessions"),
        *("page_views", "element_views"),
    ),
    "click_positions": ("date", "url_path", "element_id", "x_bin", "y_bin", "clicks"),
    "own_fields": (
        *("date", "field", "value", "views", "clicks", "conversion_percent"),
        *("sessions", "sessions_viewed", "sessions_clicked", "values_found"),
        *("page_views", "element_views"),
    ),
    "own_field_elements": (
        *("date", "field", "value", "element_id", "views", "clicks", "conversion_percent"),
        *("sessions_viewed", "sessions_clicked"),
    ),
}
"""The views and their columns; `ledger` is apart, since the days of receipt aren't known here."""

LEDGER_COLUMNS: Final = ("source", "received", "stored", "duplicate", "quarantined")

WEEK_DAYS: Final = 7
MONTH_DAYS: Final = 30


class Witness(Protocol):
    """Is told what is generated."""

    def add_session(self, session: Session) -> None:
        """A session with all its valid events."""

    def add_duplicate(self) -> None:
        """A record that repeats a valid one."""

    def add_fault(self, codes: Iterable[ErrorCode]) -> None:
        """A broken record and the codes that it must earn."""


@dataclass
class SourceCount:
    """What one source must show in the ledger."""

    stored: int = 0
    duplicate: int = 0
    quarantined: int = 0

    @property
    def received(self) -> int:
        """All of it."""
        return self.stored + self.duplicate + self.quarantined


class AnswerKey:
    """Counts what is generated and writes the key.

    A day is turned into rows once no later session can touch it, so that memory holds two days of tallies
    and the text of the rows.
    """

    def __init__(self, parameters: Mapping[str, Any], sources: Iterable[str] = (CSV,)) -> None:
        """Begin a key.

        Args:
            parameters: What the events were generated from, for the reader of the key.
            sources: Sources that the ledger has a row of, also if nothing comes from them.
        """
        self._parameters = parameters
        self._open_days: dict[int, DayTally] = {}
        self._rows: dict[str, list[str]] = {view: [] for view in VIEW_COLUMNS}
        self._active = ActiveUsers()
        self._sessions = 0
        self._sources = {source: SourceCount() for source in sources}
        self._quarantined_by_code: Counter[ErrorCode] = Counter()

    def add_session(self, session: Session, source: str = CSV) -> None:
        """Count a session; sessions come in the order of the days on which they begin."""
        people = [event for event in session.events if not event.is_bot]
        moments = [event.created_ms for event in people]
        first = min(moments)
        start_day = first // DAY_MS
        first_day = min(event.created_ms for event in session.events) // DAY_MS
        for day in sorted(day for day in self._open_days if day < first_day):
            self._close_day(day)
        add_events(self._open_days, session, people, self._sessions)
        self._open_days[start_day].add_session_start(len(moments), max(moments) - first)
        self._sessions += 1
        self._sources[source].stored += len(session.events)

    def add_duplicate(self) -> None:
        """Count a record of the CSV file that repeats a valid one."""
        self._sources[CSV].duplicate += 1

    def add_fault(self, codes: Iterable[ErrorCode]) -> None:
        """Count a broken record of the CSV file and the codes that it must earn."""
        self.add_disturbances(CSV, 0, 1, dict.fromkeys(codes, 1))

    def add_disturbances(
        self, source: str, duplicate: int, quarantined: int, by_code: Mapping[ErrorCode, int]
    ) -> None:
        """Count records that are not events of their own: repeated and broken ones.

        Args:
            source: How they arrive.
            duplicate: How many repeat a valid one.
            quarantined: How many are broken.
            by_code: How many of these earn each code; a record with two codes counts under both.
        """
        self._sources[source].duplicate += duplicate
        self._sources[source].quarantined += quarantined
        self._quarantined_by_code.update(by_code)

    def write(self, path: Path, further: Mapping[str, Iterable[object]] | None = None) -> None:
        """Write the key as JSON, one row of a view a line.

        Args:
            path: The file.
            further: Lists to add to it by name, one item a line.
        """
        for day in sorted(self._open_days):
            self._close_day(day)
        head = {
            "format": FORMAT,
            "parameters": self._parameters,
            "ledger": {
                "columns": LEDGER_COLUMNS,
                "rows": [
                    [source, count.received, count.stored, count.duplicate, count.quarantined]
                    for source, count in self._sources.items()
                ],
            },
            "quarantined": {
                "rows": sum(count.quarantined for count in self._sources.values()),
                "by_code": {code.value: self._quarantined_by_code[code] for code in ErrorCode},
            },
        }
        with path.open("w", encoding="utf-8", newline="\n") as file:
            file.write("{\n")
            for name, value in head.items():
                file.write(f"{json.dumps(name)}: {json.dumps(value)},\n")
            file.write('"views": {')
            for number, (view, columns) in enumerate(VIEW_COLUMNS.items()):
                file.write("\n" if number == 0 else ",\n")
                file.write(f'{json.dumps(view)}: {{"columns": {json.dumps(columns)}, "rows": [\n')
                for place, rows in enumerate(self._rows[view]):
                    file.write(rows if place == 0 else f",\n{rows}")
                file.write("\n]}")
            file.write("\n}")
            for name, items in (further or {}).items():
                file.write(f",\n{json.dumps(name)}: [")
                for place, item in enumerate(items):
                    file.write(",\n" if place else "\n")
                    file.write(json.dumps(item, ensure_ascii=False, separators=(",", ":")))
                file.write("\n]")
            file.write("}\n")

    def _close_day(self, day: int) -> None:
        tally = self._open_days.pop(day)
        self._add_rows("daily_active_users", self._active.close_day(day, tally.users))
        for view, rows in tally.rows().items():
            self._add_rows(view, rows)

    def _add_rows(self, view: str, rows: Iterable[Row]) -> None:
        text = ",\n".join(json.dumps(row, ensure_ascii=False) for row in rows)
        if text:
            self._rows[view].append(text)


class ActiveUsers:
    """Distinct users of the last 1, 7 and 30 days."""

    def __init__(self) -> None:
        self._days: deque[set[int]] = deque(maxlen=MONTH_DAYS)
        self._week: Counter[int] = Counter()
        self._month: Counter[int] = Counter()
        self._last_day: int | None = None

    def close_day(self, day: int, users: set[int]) -> list[Row]:
        """The row of a day, after those of the days since the last one, on which nobody came."""
        first = day if self._last_day is None else self._last_day + 1
        self._last_day = day
        return [self._move_on(each, users if each == day else set()) for each in range(first, day + 1)]

    def _move_on(self, day: int, users: set[int]) -> Row:
        if len(self._days) == MONTH_DAYS:
            _forget(self._month, self._days[0])
        if len(self._days) >= WEEK_DAYS:
            _forget(self._week, self._days[-WEEK_DAYS])
        self._days.append(users)
        self._week.update(users)
        self._month.update(users)
        return [format_date(day), len(users), len(self._week), len(self._month)]


def _forget(counts: Counter[int], users: set[int]) -> None:
    """Take back one day of each user; who has none left is gone."""
    for user in users:
        counts[user] -= 1
        if not counts[user]:
            del counts[user]
