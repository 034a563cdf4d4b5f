"""The quarantine as a CSV file that people fix in a spreadsheet and send back.

One row a quarantined event: its coordinate, what is wrong, the fields as sent, the body as received. To fix
it, edit the fields. What a spreadsheet would run as a formula gets an apostrophe in front, which is taken off
again on the way back (OWASP, “CSV injection”). That goes for the beginning of a cell, and for what follows a
separator within it: where the separator is another one than ours, a spreadsheet splits the cell there.
"""

import csv
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, TextIO

import pyarrow as pa

from clickstream.contract import CSV_COLUMNS, MAX_RECORD_BYTES
from clickstream.decode import SentEvent, read_record, text_of
from clickstream.errors import BadInputError
from clickstream.event.clocks import settle_clock
from clickstream.sources.csv import encode_body

COORDINATE: Final = ("origin", "offset", "item")
COLUMNS: Final = (*COORDINATE, "source", "received_at", "reasons", "errors", *CSV_COLUMNS, "body")
_SIGNS: Final = r"=+\-@\uff1d\uff0b\uff0d\uff20"
"""What formulas begin with, also in the full-width forms that spreadsheets of East Asia take."""

_LEAD: Final = r"""[ '"\u00a0\u200b\u3000\ufeff]*"""
"""What spreadsheets drop or skip in front of a formula, and the apostrophe that we put there ourselves."""

_FORMULA_STARTS: Final = rf"^(?={_LEAD}[{_SIGNS}\t\r\n])|(?<=[,;|\t\r\n])(?={_LEAD}[{_SIGNS}])"
_FORMULA: Final = re.compile(_FORMULA_STARTS)
_ESCAPED_FORMULA: Final = re.compile(_FORMULA_STARTS.replace("(?=", "'(?="))
"""A formula has an apostrophe more than the text had, however many that were: so every text comes back."""

_CONVERTED: Final = r"(?=[^'\n]*[0-9]|true|false)[0-9A-Za-z][0-9A-Za-z .,:+\-/%]*"
_MARKED: Final = re.compile(rf"'+{_CONVERTED}", re.IGNORECASE)
_MARKED_OR_PLAIN: Final = re.compile(rf"'*{_CONVERTED}", re.IGNORECASE)
"""What spreadsheets may take for a number, a date or a truth value, and write back as another text: of
18446744073709551615 they keep 15 digits. With an apostrophe in front it stays a text."""

_MAX_CELL_CHARACTERS: Final = 8 * MAX_RECORD_BYTES
"""A body is longer than the line it was made of: JSON writes some characters as six."""

_DELIMITERS: Final = ",;\t"

Coordinate = tuple[str, int, int]


def write_quarantine(file: TextIO, batches: Iterable[pa.Table], *, for_excel: bool = False) -> int:
    """Writes rows of `QUARANTINED_SCHEMA`; returns how many.

    Args:
        file: Opened with `newline=""`.
        batches: The rows.
        for_excel: With semicolons, and an apostrophe before what Excel would change, such as long numbers.
    """
    writer = csv.DictWriter(file, COLUMNS, delimiter=";" if for_excel else ",")
    to_mark = _MARKED_OR_PLAIN if for_excel else _MARKED
    writer.writeheader()
    rows = 0
    for batch in batches:
        for row in batch.to_pylist():
            texts = {name: escape_formula(text) for name, text in _as_texts(row).items()}
            writer.writerow(
                {name: f"'{text}" if to_mark.fullmatch(text) else text for name, text in texts.items()}
            )
            rows += 1
    return rows


def _as_texts(row: Mapping[str, Any]) -> dict[str, str]:
    errors = "; ".join(f"{error['field'] or 'record'}: {error['message']}" for error in row["errors"])
    texts = {name: str(row[name]) for name in (*COORDINATE, "source", "body")}
    texts |= {
        "received_at": row["received_at"].isoformat(),
        "reasons": " ".join(row["reasons"]),
        "errors": errors,
    }
    record = read_record(settle_clock(row["body"], int(row["received_at"].timestamp() * 1_000)))
    if isinstance(record, SentEvent):
        sent = {name: getattr(record, name) for name in CSV_COLUMNS}
        texts |= {name: "" if value is None else text_of(value) for name, value in sent.items()}
    return texts


def escape_formula(text: str) -> str:
    """The text of a cell that no spreadsheet runs as a formula, wherever it splits the cell."""
    return _FORMULA.sub("'", text)


def _unescape(text: str) -> str:
    """The text of a cell as it was before it was escaped and marked; a mark is an apostrophe more, too."""
    return _ESCAPED_FORMULA.sub("", text[1:] if _MARKED.fullmatch(text) else text)


def read_fixes(path: Path) -> dict[Coordinate, str]:
    """The new bodies of a fixed file by coordinate.

    A row without any field keeps its body as it stands in the file. The file may come back from a spreadsheet
    with another delimiter.

    Raises:
        BadInputError: The file is missing, or `clickstream quarantine export` did not write it.
    """
    if not path.is_file():
        raise BadInputError(
            f"There is no file {path}.", hint="Make one with `clickstream quarantine export`."
        )
    with path.open(encoding="utf-8-sig", newline="") as file, _long_cells():
        try:
            header = file.readline()
            file.seek(0)
            delimiter = max(_DELIMITERS, key=header.count)
            return dict(_fixes(path, csv.DictReader(file, delimiter=delimiter)))
        except (UnicodeDecodeError, csv.Error) as error:
            raise BadInputError(f"{path} can't be read: {error}.", hint="Save it as “CSV UTF-8”.") from error


@contextmanager
def _long_cells() -> Iterator[None]:
    """Lets the CSV reader take the longest body that there can be."""
    limit = csv.field_size_limit(_MAX_CELL_CHARACTERS)
    try:
        yield
    finally:
        csv.field_size_limit(limit)


def _fixes(path: Path, reader: "csv.DictReader[str]") -> Iterator[tuple[Coordinate, str]]:
    missing = [name for name in (*COORDINATE, "body") if name not in (reader.fieldnames or ())]
    if missing:
        raise BadInputError(
            f"{path} has no column {', '.join(missing)}.",
            hint="Fix a file that `clickstream quarantine export` wrote, and keep its columns.",
        )
    for row in reader:
        texts = {name: _unescape(text or "") for name, text in row.items() if name}
        try:
            coordinate = (texts["origin"], int(texts["offset"]), int(texts["item"]))
        except ValueError:
            raise BadInputError(
                f"Line {reader.line_num} of {path} has no coordinate: offset and item must be numbers.",
                hint="Keep the columns origin, offset and item as they were exported.",
            ) from None
        fields = {name: texts[name] for name in CSV_COLUMNS if texts.get(name)}
        yield coordinate, encode_body(tuple(fields), list(fields.values())) if fields else texts["body"]
