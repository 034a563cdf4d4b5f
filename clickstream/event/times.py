"""Times as clients write them: which are read, as what, and what is wrong with the others."""

import re
from datetime import UTC, datetime, timedelta
from typing import Final

EPOCH_HINT: Final = (
    "numbers of seconds or milliseconds are not taken; send text, in JavaScript "
    "new Date(ms).toISOString(), in Python datetime.fromtimestamp(s, UTC).isoformat(), in SQL "
    "to_char(at, 'YYYY-MM-DD\"T\"HH24:MI:SSOF')"
)

_EPOCH: Final = datetime(1970, 1, 1)  # noqa: DTZ001 - times without an offset are compared with it
_EPOCH_UTC: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND: Final = timedelta(milliseconds=1)
_ZONE_WORD: Final = re.compile(r" ?(?:UTC|GMT|Z)\Z")
_SPACED_OFFSET: Final = re.compile(r" (?=[+-][0-9:]+\Z)")


def _timestamp_pattern() -> str:
    """RFC 3339 date-times that exist in the Gregorian calendar, and what else has one meaning.

    The separator may be a space, seconds and the offset may be absent, the offset may be `+03`, `+0300`,
    `UTC` or `GMT`, and a space may precede it. Leap years are those divisible by 4 but not by 100, and those
    divisible by 400. ClickHouse's time has no leap seconds, so they are refused.
    """
    year = "(?!0000)[0-9]{4}"
    leap_year = "(?:[0-9]{2}(?:0[48]|[2468][048]|[13579][26])|(?:0[48]|[2468][048]|[13579][26])00)"
    day = (
        f"(?:{year}-(?:0[13578]|1[02])-(?:0[1-9]|[12][0-9]|3[01])"
        f"|{year}-(?:0[469]|11)-(?:0[1-9]|[12][0-9]|30)"
        f"|{year}-02-(?:0[1-9]|1[0-9]|2[0-8])"
        f"|{leap_year}-02-29)"
    )
    time = r"(?:[01][0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9](?:\.[0-9]+)?)?"
    offset = "(?: ?(?:[Zz]|[Uu][Tt][Cc]|[Gg][Mm][Tt]|[+-](?:[01][0-9]|2[0-3])(?::?[0-5][0-9])?))?"
    return rf"\A{day}[Tt ]{time}{offset}\Z"


TIMESTAMP_PATTERN: Final = _timestamp_pattern()


def parse_timestamp(text: str) -> int:
    """Milliseconds since 1970 of a text that matches `TIMESTAMP_PATTERN`; further digits are cut off."""
    text = text.upper()
    if text[-1] in "CTZ" or " " in text[11:]:
        text = _SPACED_OFFSET.sub("", _ZONE_WORD.sub("+00:00", text))
    moment = datetime.fromisoformat(text)
    return (moment - (_EPOCH if moment.tzinfo is None else _EPOCH_UTC)) // _MILLISECOND


_YEAR_LAST: Final = re.compile(
    r"\A\s*([0-9]{1,2})[./-]([0-9]{1,2})[./-]([0-9]{4}|[0-9]{2})(?![0-9])"
    r"(?:,?[Tt ]\s*([0-9]{1,2}):([0-9]{2})(:[0-9]{2})?\s*\Z)?"
)
"""A day that begins with the day or the month, and the time after it if nothing else follows."""

_MISTAKES: Final = tuple(
    (re.compile(pattern), hint)
    for pattern, hint in (
        (r"\A[+-]?[0-9]+(?:[.,][0-9]+)?(?:[eE][+-]?[0-9]+)?\Z", EPOCH_HINT),
        (r"\A[0-9]{4}[-/.]?[0-9]{1,2}[-/.]?[0-9]{1,2}\Z", "the time of day is missing"),
        (r"\A[0-9]{4}[/.][0-9]{1,2}[/.][0-9]{1,2}", "write the day with hyphens, as in 2025-03-01"),
        (r"\A[0-9]{8}[Tt ]?[0-9]{4}", "write it with hyphens and colons, as in 2025-03-01T10:00:00Z"),
        (r":60(?:\D|\Z)", "leap seconds are not taken; send second 59"),
        (r"[Tt ]24:", "hour 24 is not taken; send hour 00 of the next day"),
        (
            r"(?i)\b(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\b",
            "write the month as a number, as in 2025-03-01",
        ),
        (r"[0-9]{1,2}:[0-9]{2}.*\b[AaPp]\.?[Mm]", "the hour must run from 00 to 23, without AM or PM"),
        (r"[Tt ][0-9]{2}:[0-9]{2}:[0-9]{2},[0-9]", "fractions of a second follow a point, not a comma"),
        (r"(?:\[[^]]+\]|[ 0-9][A-Za-z]{2,5})\Z", "of the names of time zones only UTC and GMT are taken"),
        (r"\A\s|\s\Z", "there is white space around it"),
        (
            r"\A[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}",
            "this day, time or offset does not exist",
        ),
    )
)


def explain_time(text: str) -> str:
    """What seems to be wrong with a text that does not match `TIMESTAMP_PATTERN`; empty if nothing does."""
    year_last = _YEAR_LAST.match(text)
    if year_last is not None:
        return _explain_year_last(year_last)
    return next((hint for pattern, hint in _MISTAKES if pattern.search(text)), "")


def _explain_year_last(found: re.Match[str]) -> str:
    """How to write a day whose year comes last; says what is in doubt only if there are two readings."""
    first, second, year, hour, minute, seconds = found.groups()
    if len(year) == 2:
        return "the year must come first and have four digits, as in 2025-03-01"
    days = {
        (month, day)
        for month, day in ((int(second), int(first)), (int(first), int(second)))
        if _exists(int(year), month, day)
    }
    if len(days) > 1:
        return (
            "which number is the day and which the month is in doubt; write the year first, as in 2025-03-01"
        )
    if not days:
        return "this day does not exist; the year must come first, as in 2025-03-01"
    [(month, day)] = days
    time = f"T{int(hour):02}:{minute}{seconds or ':00'}Z" if hour else ""
    zone = " if the time is UTC" if time else ""
    return f"the year must come first; write {year}-{month:02}-{day:02}{time}{zone}"


def _exists(year: int, month: int, day: int) -> bool:
    try:
        datetime(year, month, day)  # noqa: DTZ001 - only whether the calendar has the day
    except ValueError:
        return False
    return True
