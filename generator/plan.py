"""What to generate: the parameters that alone decide every byte, and the files that they go to."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from clickstream.errors import BadInputError

DEFAULT_UNTIL: Final = date(2025, 6, 30)
"""Last day of the data unless told otherwise: fixed, so that a seed gives the same bytes on any day."""

MINUTE_MS: Final = 60_000
MINUTES_PER_DAY: Final = 1_440
DAY_MS: Final = MINUTES_PER_DAY * MINUTE_MS
MAX_DAYS: Final = 3_660

_COMPRESSED_SUFFIXES: Final = (".gz", ".zst")
_OTHER_COMPRESSED_SUFFIXES: Final = (".zip", ".bz2", ".xz", ".lz4", ".br", ".7z")


@dataclass(frozen=True)
class Plan:
    """The parameters of one data set.

    Attributes:
        events: Data records in the file, header not counted: valid events, faults and duplicates together.
        days: Calendar days (UTC) that the events lie in, `until` included.
        seed: Any integer; the same plan gives the same data, users and answer key.
        faults: Share of the records that are broken.
        duplicates: Share of the records that repeat a valid one.
        until: The last day of the data.
        last_minutes: How many minutes of that day the data cover: all, unless the day is not over yet.
    """

    events: int = 200_000
    days: int = 30
    seed: int = 42
    faults: float = 0.01
    duplicates: float = 0.02
    until: date = DEFAULT_UNTIL
    last_minutes: int = MINUTES_PER_DAY

    @property
    def faulty_records(self) -> int:
        """Records that must end up in quarantine."""
        return round(self.events * self.faults)

    @property
    def duplicate_records(self) -> int:
        """Records that must be recognised as known."""
        return round(self.events * self.duplicates)

    @property
    def valid_events(self) -> int:
        """Distinct valid events."""
        return self.events - self.faulty_records - self.duplicate_records

    @property
    def start_ms(self) -> int:
        """First moment of the data, in milliseconds since 1970."""
        return _midnight_ms(self.until - timedelta(days=self.days - 1))

    @property
    def end_ms(self) -> int:
        """First moment after the data, in milliseconds since 1970."""
        return _midnight_ms(self.until) + self.last_minutes * MINUTE_MS

    def parameters(self) -> dict[str, int | float | str]:
        """What an answer key says of the plan; `from_parameters` makes the plan of it."""
        return {
            "events": self.events,
            "days": self.days,
            "seed": self.seed,
            "faults": self.faults,
            "duplicates": self.duplicates,
            "until": self.until.isoformat(),
            **({"last_minutes": self.last_minutes} if self.last_minutes != MINUTES_PER_DAY else {}),
        }

    @classmethod
    def from_parameters(cls, parameters: Mapping[str, Any]) -> "Plan":
        """The plan that an answer key names.

        Raises:
            KeyError: A parameter is missing.
            ValueError: One isn't what it must be.
        """
        until = date.fromisoformat(parameters["until"])
        events, days, seed = (int(parameters[name]) for name in ("events", "days", "seed"))
        return cls(
            events,
            days,
            seed,
            float(parameters["faults"]),
            float(parameters["duplicates"]),
            until,
            int(parameters.get("last_minutes", MINUTES_PER_DAY)),
        )

    def check(self, today: date) -> None:
        """Refuse a plan that can't be carried out.

        Args:
            today: The current day (UTC).

        Raises:
            BadInputError: A parameter is out of bounds; the message names it, its value and what is allowed.
        """
        if self.events < 1:
            raise BadInputError(f"--events is {self.events}, but a file needs at least 1 record.")
        if not 1 <= self.days <= MAX_DAYS:
            raise BadInputError(f"--days is {self.days}, but must lie in 1…{MAX_DAYS}.")
        for name, share in (("--faults", self.faults), ("--duplicates", self.duplicates)):
            if not 0 <= share < 1:
                raise BadInputError(
                    f"{name} is {share:g}, but must be a share from 0 to below 1.",
                    hint="One percent is 0.01.",
                )
        if self.valid_events < 1:
            raise BadInputError(
                f"--faults {self.faults:g} and --duplicates {self.duplicates:g} of {self.events} records "
                "leave no valid event.",
                hint="Lower the shares or raise --events.",
            )
        if self.until >= today:
            raise BadInputError(
                f"--until is {self.until}, but that day is not over yet (today is {today} in UTC): "
                "its later events would lie in the future and be refused.",
                hint=f"The latest day allowed is {today - timedelta(days=1)}.",
            )
        if self.start_ms < 0:
            raise BadInputError(f"{self.days} days until {self.until} begin before 1970-01-01.")


@dataclass(frozen=True)
class DatasetFiles:
    """Where the three parts of a data set go.

    Attributes:
        events: The CSV file of events; compressed if its name ends in `.gz` or `.zst`.
        users: The CSV file of the people.
        key: The answer key, JSON.
    """

    events: Path
    users: Path
    key: Path

    @classmethod
    def beside(cls, events: Path, users: Path | None = None) -> "DatasetFiles":
        """Name users and key after the events: `shop.csv.gz` → `shop.users.csv`, `shop.key.json`."""
        stem = events.name
        if events.suffix in _COMPRESSED_SUFFIXES:
            stem = stem.removesuffix(events.suffix)
        stem = stem.removesuffix(".csv")
        return cls(
            events=events,
            users=users or events.with_name(f"{stem}.users.csv"),
            key=events.with_name(f"{stem}.key.json"),
        )

    def check(self) -> None:
        """Refuse names that can't be meant.

        Raises:
            BadInputError: Two of the three are the same, or the compression is unknown.
        """
        if self.events.suffix in _OTHER_COMPRESSED_SUFFIXES:
            raise BadInputError(
                f"{self.events.name} asks for a compression that isn't known.",
                hint=f"Known are {' and '.join(_COMPRESSED_SUFFIXES)}; any other name gives plain CSV.",
            )
        if len({self.events.resolve(), self.users.resolve(), self.key.resolve()}) < 3:
            raise BadInputError(
                f"Events, users and key need three files, not {self.events}, {self.users} and {self.key}.",
                hint="Choose another name with --out or --users.",
            )


def _midnight_ms(day: date) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) * 1_000
