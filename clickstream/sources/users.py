"""The lines of a file of users: which can be stored, and what is wrong with the others."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from clickstream.contract import uint_pattern
from clickstream.decode import MAX_SHOWN_CHARACTERS, explain_defect
from clickstream.event.countries import read_country
from clickstream.event.spellings import WHOLE_NUMBER
from clickstream.reasons import ErrorCode, EventError
from clickstream.sources.csv import CsvRecord

_is_id: Final = re.compile(uint_pattern(64)).search


@dataclass(frozen=True, slots=True)
class UserLine:
    """One line of a file of users.

    Attributes:
        line: Its number.
        user: The columns of `users`; None if the line is refused.
        problem: Why it is refused, or the value that the user is stored without; None if all is well.
        text: The line, where it could not be taken apart.
    """

    line: int
    user: dict[str, Any] | None
    problem: EventError | None = None
    text: str = ""


def read_users(records: Iterable[CsvRecord], columns: tuple[str, ...]) -> Iterator[UserLine]:
    """Judges the records of a file of users."""
    for record in records:
        cells = dict(zip(columns, record.cells, strict=False))
        user_id = str(WHOLE_NUMBER.read(cells.get("id", "")))
        country = cells.get("country", "")
        if record.defect is not None:
            problem = _problem(record.defect, "", record.text[:MAX_SHOWN_CHARACTERS], record.text)
            yield UserLine(record.line, None, problem, record.text)
        elif not _is_id(user_id):
            yield UserLine(record.line, None, _problem(ErrorCode.INVALID_NUMBER, "id", user_id))
        elif not cells["fio"]:
            yield UserLine(record.line, None, _problem(ErrorCode.MISSING_FIELD, "fio", ""))
        else:
            code = read_country(country)
            is_unknown = bool(country) and code is None
            warning = _problem(ErrorCode.UNKNOWN_COUNTRY, "country", country) if is_unknown else None
            user = {"id": int(user_id), "fio": cells["fio"], "country": code or ""}
            yield UserLine(record.line, user, warning)


def _problem(code: ErrorCode, field: str, value: str, text: str = "") -> EventError:
    return EventError(code, field, explain_defect(code, text), value)
