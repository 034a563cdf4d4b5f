"""The quarantine as a CSV file that people fix in a spreadsheet and send back.

One row for each quarantined event: its coordinate, what is wrong, the fields as sent, the body as received.
To fix it, edit the fields. If the text could not be read as an event, the fields are empty: fill them in, or
edit the body. The body counts only where all fields are empty. `clickstream.spreadsheet` keeps cells safe.
"""

import csv
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TextIO

import pyarrow as pa

from clickstream.contract import CSV_COLUMNS, MAX_RECORD_BYTES
from clickstream.decode import SentEvent, read_record, text_of
from clickstream.errors import BadInputError
from clickstream.event.clocks import settle_clock
from clickstream.sources.csv import encode_body
from clickstream.spreadsheet import cell_of, text_of_cell

COORDINATE: Final = ("origin", "offset", "item")
COLUMNS: Final = (*COORDINATE, "source", "received_at", "reasons", "errors", *CSV_COLUMNS, "body")
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
    writer.writeheader()
    rows = 0
    for batch in batches:
        for row in batch.to_pylist():
            texts = _as_texts(row)
            writer.writerow({name: cell_of(text, for_excel=for_excel) for name, text in texts.items()})
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


@dataclass(frozen=True, slots=True)
class FixedRow:
    """One row of a fixed file.

    Attributes:
        coordinate: The event that it fixes.
        fields: Its cells that are not empty, by field.
        body: The text as received, or as edited.
    """

    coordinate: Coordinate
    fields: Mapping[str, str]
    body: str

    @property
    def new_body(self) -> str:
        """What is sent: the fields make the body; without any, it is the body in the file."""
        return encode_body(tuple(self.fields), list(self.fields.values())) if self.fields else self.body


def read_fixes(path: Path) -> dict[Coordinate, str]:
    """The new bodies of a fixed file by coordinate.

    Raises:
        BadInputError: As `read_fixed_rows`.
    """
    return {row.coordinate: row.new_body for row in read_fixed_rows(path)}


def is_edited(body: str, original: str) -> bool:
    """Whether somebody changed a body; spreadsheets write line ends in their own way."""
    return body.split() != original.split()


def read_fixed_rows(path: Path) -> list[FixedRow]:
    """The rows of a fixed file, which may come back from a spreadsheet with another delimiter.

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
            return list(_read_rows(path, csv.DictReader(file, delimiter=delimiter)))
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


def _read_rows(path: Path, reader: "csv.DictReader[str]") -> Iterator[FixedRow]:
    missing = [name for name in (*COORDINATE, "body") if name not in (reader.fieldnames or ())]
    if missing:
        raise BadInputError(
            f"{path} has no column {', '.join(missing)}.",
            hint="Fix a file that `clickstream quarantine export` wrote, and keep its columns.",
        )
    for row in reader:
        texts = {name: text_of_cell(text or "") for name, text in row.items() if name}
        try:
            coordinate = (texts["origin"], int(texts["offset"]), int(texts["item"]))
        except ValueError:
            raise BadInputError(
                f"Line {reader.line_num} of {path} has no coordinate: offset and item must be numbers.",
                hint="Keep the columns origin, offset and item as they were exported.",
            ) from None
        fields = {name: texts[name] for name in CSV_COLUMNS if texts.get(name)}
        yield FixedRow(coordinate, fields, texts["body"])
