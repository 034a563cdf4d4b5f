"""The header of a CSV file: what its lines are, and which columns are missing."""

import csv
from enum import StrEnum
from pathlib import Path
from typing import Final

from clickstream.contract import CSV_COLUMNS, FIELD_BY_NAME, IGNORED_COLUMNS
from clickstream.errors import BadInputError
from clickstream.sources.wrong_files import guess_columns

USER_COLUMNS: Final = ("id", "fio", "country")
DELIMITERS: Final = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "pipes"}


EXPORT_COLUMNS: Final = frozenset({"origin", "offset", "item", "reasons", "body"})
"""By these an export of the quarantine is recognised."""

REPORT_COLUMNS: Final = frozenset({"line", "outcome", "code", "field"})
"""By these the report on a loaded file is recognised."""


class FileKind(StrEnum):
    """What the lines of a file are."""

    EVENTS = "events"
    USERS = "users"


def read_header(line: str, delimiter: str) -> list[str]:
    """The names of the columns as they are written, without empty ones at the end."""
    try:
        cells = next(csv.reader([line], delimiter=delimiter, skipinitialspace=True), [])
    except csv.Error:
        return []
    names = [cell.strip().lstrip("\ufeff") for cell in cells]
    while names and not names[-1]:
        del names[-1]
    return names


def known_columns(line: str, delimiter: str) -> set[str]:
    """The columns of ours in a header, if this is what parts its cells."""
    names = {name.lower() for name in read_header(line, delimiter)}
    return names & {*CSV_COLUMNS, *USER_COLUMNS, *IGNORED_COLUMNS}


def header_hint() -> str:
    """What a header must be."""
    return (
        f"Line 1 must be a header: {','.join(CSV_COLUMNS)} (any order), or {','.join(USER_COLUMNS)}; "
        f"between the cells {', '.join(DELIMITERS.values())}."
    )


_REQUIRED_COLUMNS: Final = tuple(
    name for name in CSV_COLUMNS if FIELD_BY_NAME[name].required or name == "payload"
)


def judge_header(path: Path, names: tuple[str, ...], first_line: str) -> tuple[FileKind, list[str]]:
    """What the lines of a file are, and what is odd about its header, a sentence each.

    Raises:
        BadInputError: No line under this header can be an event or a user.
    """
    columns = [name.lower() for name in names]
    if set(columns) >= EXPORT_COLUMNS:
        raise BadInputError(
            f"{path} is an export of the quarantine, whose events are not loaded but replayed.",
            hint=f"Send them again: clickstream quarantine replay {path}",
        )
    if set(columns) >= REPORT_COLUMNS:
        raise BadInputError(
            f"{path} is the report on a loaded file, not the events themselves.",
            hint="To repair refused events, export them: clickstream quarantine export --out bad.csv",
        )
    is_header = not {*CSV_COLUMNS, *USER_COLUMNS}.isdisjoint(columns)
    repeated = sorted({column for column in columns if columns.count(column) > 1})
    if is_header and repeated:
        shown = ", ".join(name or "a column without a name" for name in repeated)
        raise BadInputError(f"Line 1 of {path} has {shown} twice.", hint=header_hint())
    if set(USER_COLUMNS) <= set(columns):
        return FileKind.USERS, []
    missing = [name for name in _REQUIRED_COLUMNS if name not in columns]
    if missing:
        raise _other_header(path, names, missing, first_line)
    return FileKind.EVENTS, [
        f"Line 1: the column {name or 'without a name'} is unknown; it is kept in the raw events only."
        for name in columns
        if name not in (*CSV_COLUMNS, *IGNORED_COLUMNS)
    ]


def _other_header(path: Path, names: tuple[str, ...], missing: list[str], first_line: str) -> BadInputError:
    """Says what a header lacks, and which of its columns seem to be those."""
    shown = "".join(filter(str.isprintable, first_line))[:200]
    if {"fio", "country"} & {name.lower() for name in names}:
        lacking = [name for name in USER_COLUMNS if name not in map(str.lower, names)]
        return BadInputError(
            f"Line 1 of {path} has no column {', '.join(lacking)} of users: {shown}", hint=header_hint()
        )
    absent = [name for name in CSV_COLUMNS if name not in map(str.lower, names)]
    guesses = guess_columns(names, absent)
    if len(missing) == len(_REQUIRED_COLUMNS) and not guesses:
        return BadInputError(
            f"Line 1 of {path} is not a header of events or users: {shown}", hint=header_hint()
        )
    return BadInputError(
        f"Line 1 of {path} has no column {', '.join(missing)}, so no line can be an event.",
        hint=f"{guesses}. Rename them, and load the file again." if guesses else header_hint(),
    )
