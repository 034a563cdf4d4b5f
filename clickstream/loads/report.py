"""The report on one CSV file: what became of its lines, as counts and as a CSV file."""

import csv
import io
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from heapq import merge
from itertools import islice
from operator import itemgetter
from pathlib import Path
from typing import Any, Final, TextIO

from clickhouse_connect.driver.client import Client

from clickstream.errors import ClickstreamError
from clickstream.loads.duplicates import Duplicate, stream_duplicates
from clickstream.loads.history import PROBLEM_COLUMNS, Load, find_load, origin_of, stream_problems
from clickstream.loads.warned import STORED, stream_warned, with_messages
from clickstream.settings import Settings
from clickstream.sources.csv import CsvFile, open_text, read_records
from clickstream.sources.users import UserLine, read_users
from clickstream.spreadsheet import cell_of, escape_formula
from clickstream.storage.client import Role, connect
from clickstream.storage.raw import short_origin

SAME: Final = "duplicate with the same content"
OTHER: Final = "duplicate with other content"
_UNKNOWN: Final = "duplicate"

_SHOWN_LINES: Final = 5
"""Lines that a code names; the report has all."""

Row = tuple[Any, ...]
"""What stands in one row of the report: `PROBLEM_COLUMNS`."""


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with some lines of a file.

    Attributes:
        outcome: `refused`, `refused again`, `stored without the value` …, or what kind of duplicate.
        code: The error code; empty for duplicates.
        events: How many lines.
        lines: The numbers of the first of them.
    """

    outcome: str
    code: str
    events: int
    lines: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class FileReport:
    """What became of one file.

    Attributes:
        load: The counts.
        problems: What is wrong by outcome and code, the most frequent first.
    """

    load: Load
    problems: tuple[Problem, ...]


def make_report(
    settings: Settings, name: str, sha256: str, target: TextIO | None = None, *, for_excel: bool = False
) -> FileReport:
    """Reports on a file, notes in the history of loads what was found out, and writes the lines as CSV.

    Args:
        settings: Where the warehouse is.
        name: The name of the file, which is kept in the history.
        sha256: The hash of its bytes.
        target: Where the CSV goes, opened with `newline=""`; None if only the counts are wanted.
        for_excel: Whether the CSV is for Excel, which takes semicolons and changes long numbers.

    Raises:
        ClickstreamError: No line of the file was received.
    """
    client = connect(settings.clickhouse, Role.WRITER)
    now = datetime.now(UTC)
    # The column keeps milliseconds.
    reported_at = now.replace(microsecond=now.microsecond // 1_000 * 1_000)
    load = find_load(client, sha256)
    if load is None:
        raise ClickstreamError(f"No line of {name or sha256} was received.", hint="Load the file first.")
    rows = _stream_rows(client, sha256)
    problems = _tally(rows if target is None else _written(rows, target, for_excel=for_excel))
    same, other = (sum(one.events for one in problems if one.outcome == name) for name in (SAME, OTHER))
    columns = ["origin", "name", "same_content", "other_content", "reported_at"]
    client.insert("file_reports", [[origin_of(sha256), name, same, other, reported_at]], column_names=columns)
    found = replace(load, name=name, same_content=same, other_content=other, reported_at=reported_at)
    return FileReport(found, problems)


def write_user_report(file: CsvFile, target: TextIO, *, for_excel: bool = False) -> int:
    """Writes the lines of a file of users that have a problem as CSV; returns how many there are.

    Users are not kept in quarantine, so the file itself is read.
    """
    with open_text(Path(file.path)) as text:
        found = read_users(read_records(text, file), file.columns)
        rows = map(_describe_user, filter(_has_problem, found))
        return sum(1 for _row in _written(rows, target, for_excel=for_excel))


def _has_problem(read: UserLine) -> bool:
    return read.problem is not None


def _describe_user(read: UserLine) -> Row:
    outcome = "refused" if read.user is None else STORED
    assert read.problem is not None, "only lines with a problem are described"  # noqa: S101
    return (
        read.line,
        outcome,
        read.problem.code.value,
        read.problem.field,
        read.problem.message,
        read.problem.value,
    )


def _written(rows: Iterable[Row], target: TextIO, *, for_excel: bool) -> Iterator[Row]:
    """The rows, each written as it goes by."""
    writer = csv.writer(target, delimiter=";" if for_excel else ",")
    writer.writerow(PROBLEM_COLUMNS)
    for row in rows:
        writer.writerow([cell_of(str(cell), for_excel=True) for cell in row] if for_excel else _cells(row))
        yield row


def _tally(rows: Iterable[Row]) -> tuple[Problem, ...]:
    """The problems by outcome and code, the most frequent first; a line counts once under each."""
    lines_of: dict[tuple[str, str], list[int]] = {}
    counts: Counter[tuple[str, str]] = Counter()
    last_line: dict[tuple[str, str], int] = {}
    for line, outcome, code, *_ in rows:
        key = (outcome, code)
        if last_line.get(key) == line:
            continue
        last_line[key] = line
        counts[key] += 1
        lines = lines_of.setdefault(key, [])
        if len(lines) < _SHOWN_LINES:
            lines.append(line)
    return tuple(Problem(*key, events, tuple(lines_of[key])) for key, events in counts.most_common())


def stream_report(client: Client, sha256: str) -> Iterator[str]:
    """The CSV of a file's report, piece by piece, with the byte order mark that spreadsheets want."""
    rows = _stream_rows(client, sha256)
    # The header comes with the first answer of the warehouse: a refusal is known before anything is sent.
    first = [_cells(row) for row in islice(rows, 1)]
    yield "\ufeff" + _as_csv([PROBLEM_COLUMNS, *first])
    for row in rows:
        yield _as_csv([_cells(row)])


def _cells(row: Row) -> list[str]:
    return [escape_formula(str(cell)) for cell in row]


def _as_csv(rows: Iterable[Iterable[str]]) -> str:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue()


def _stream_rows(client: Client, sha256: str) -> Iterator[Row]:
    """Rows of `PROBLEM_COLUMNS` in the order of the lines."""
    origin = origin_of(sha256)
    duplicates = (_describe(one, origin) for one in stream_duplicates(client, origin))
    problems = with_messages(stream_problems(client, sha256), stream_warned(client, origin))
    return merge(problems, duplicates, key=itemgetter(0))


def _describe(duplicate: Duplicate, origin: str) -> Row:
    stored_origin, stored_offset, _ = duplicate.stored_name.rsplit(":", 2)
    is_here = stored_origin == origin
    where = (
        f"line {stored_offset} of this file" if is_here else short_origin(stored_origin) + f":{stored_offset}"
    )
    told = f"The id is stored from {where}"
    if duplicate.differing is None:
        outcome, message = _UNKNOWN, f"{told}; the texts can't be compared, because one was deleted."
    elif duplicate.differing:
        outcome, message = OTHER, f"{told}, which differs in {', '.join(duplicate.differing)}."
    else:
        outcome, message = SAME, f"{told}."
    return duplicate.line, outcome, "", "id", message, str(duplicate.id)
