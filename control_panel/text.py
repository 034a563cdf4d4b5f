"""Numbers, times and sizes as people read them. All times are UTC and say so."""

from datetime import UTC, datetime


def number(value: float) -> str:
    """A count with thousands separated, a fraction with one digit."""
    return f"{value:,.0f}" if float(value).is_integer() or abs(value) >= 100 else f"{value:,.1f}"


def rate(value: float) -> str:
    """A number of events per second, of a slow one with two digits."""
    return f"{value:.2f}" if 0 < value < 1 else number(round(value, 1))


def percent(value: float | None) -> str:
    """A share of 100; a dash where there is none."""
    return "–" if value is None else f"{value:.1f} %"


def size(number_of_bytes: int) -> str:
    """A size in the largest decimal unit that fits, as file managers show it."""
    for factor, unit in ((1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
        if number_of_bytes >= factor:
            return f"{number_of_bytes / factor:,.1f} {unit}"
    return f"{number_of_bytes} bytes"


def moment(at: datetime | None) -> str:
    """A time to the second."""
    return "–" if at is None else f"{_utc(at):%Y-%m-%d %H:%M:%S} UTC"


def age(at: datetime | None, now: datetime | None = None) -> str:
    """How long ago something was, in its largest unit."""
    if at is None:
        return "never"
    seconds = max(0.0, ((now or datetime.now(UTC)) - _utc(at)).total_seconds())
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{int(seconds // size)} {unit} ago"
    return f"{seconds:.0f} s ago"


def days(count: int) -> str:
    """A number of days."""
    return "1 day" if count == 1 else f"{count:,} days"


def duration(seconds: float) -> str:
    """A span in its two largest units."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    for size, unit, smaller_size, smaller in (
        (86_400, "d", 3_600, "h"),
        (3_600, "h", 60, "min"),
        (60, "min", 1, "s"),
    ):
        if seconds >= size:
            rest = int(seconds % size // smaller_size)
            return f"{int(seconds // size)} {unit}" + (f" {rest} {smaller}" if rest else "")
    return f"{seconds:.0f} s"


def _utc(at: datetime) -> datetime:
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
