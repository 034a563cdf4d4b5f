"""CSV files: what kind of file it is, and its lines as records, broken ones included.

A record that spans several lines and is broken is taken for one broken line: reading goes on at the line
after its first, so that a quote that is never closed costs one line and not the rest of the file.
"""

import csv
import hashlib
import io
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, BinaryIO, Final, NamedTuple, cast

import msgspec

from clickstream.contract import CSV_COLUMNS, FIELD_BY_NAME, IGNORED_COLUMNS, MAX_RECORD_BYTES
from clickstream.errors import BadInputError
from clickstream.reasons import ErrorCode
from clickstream.sources.unpack import unpack

USER_COLUMNS: Final = ("id", "fio", "country")
DELIMITERS: Final = {",": "comma", ";": "semicolon", "\t": "tab"}

_MAX_KEPT_BYTES: Final = 4096
"""How much is kept of a line that is too large."""

_UTF16_BOMS: Final = (b"\xff\xfe", b"\xfe\xff")
_UTF8_BOM: Final = b"\xef\xbb\xbf"

csv.field_size_limit(MAX_RECORD_BYTES)


class FileKind(StrEnum):
    """What the lines of a file are."""

    EVENTS = "events"
    USERS = "users"


class CsvFile(msgspec.Struct, frozen=True):
    """What is known of a file before its lines are read.

    Attributes:
        path: Where it lies.
        sha256: Hash of its bytes as they lie there; the file's identity.
        size_bytes: Its size as it lies there.
        modified_ns: When it was last modified, nanoseconds since 1970.
        kind: What its lines are, by its header.
        delimiter: What parts its cells.
        columns: Its header in its own order, in lower case.
        warnings: What is odd about the header, a sentence each.
    """

    path: str
    sha256: str
    size_bytes: int
    modified_ns: int
    kind: FileKind
    delimiter: str
    columns: tuple[str, ...]
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CsvRecord:
    """One record of a file.

    Attributes:
        line: The number of its first line; the header is line 1.
        cells: Its cells; empty for a broken record.
        defect: Why it is broken; None where it isn't.
        text: A broken record as it stands in the file, without its line end.
    """

    line: int
    cells: list[str]
    defect: ErrorCode | None = None
    text: str = ""


def inspect_csv(path: Path) -> CsvFile:
    """Looks at a file's header and takes its hash.

    Raises:
        BadInputError: The file can't be read, is empty, or has no header of events or users.
    """
    if not path.is_file():
        raise BadInputError(f"There is no file {path}.", hint="Give the path of a CSV file.")
    stat = path.stat()
    try:
        with path.open("rb") as file:
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise BadInputError(f"{path} can't be read: {error.strerror}.") from error
    first_line = _read_first_line(path)
    delimiter = max(DELIMITERS, key=lambda candidate: len(_known_columns(first_line, candidate)))
    columns = tuple(_header(first_line, delimiter))
    kind, warnings = _judge_header(path, columns, first_line)
    return CsvFile(
        str(path), sha256, stat.st_size, stat.st_mtime_ns, kind, delimiter, columns, tuple(warnings)
    )


def _read_first_line(path: Path) -> str:
    try:
        with open_text(path) as file:
            first_line = next(_LineFeeder(file), "")
            is_empty = not first_line and not file.peek(1)
    except OSError as error:
        raise BadInputError(
            f"{path} can't be unpacked: {error}.", hint="Send the whole file again."
        ) from error
    if not first_line.strip():
        what = "is empty" if is_empty else "has a blank first line"
        raise BadInputError(f"{path} {what}.", hint=_header_hint())
    if "\r" in first_line.strip():
        raise BadInputError(f"{path} has carriage returns inside line 1.", hint="End lines with LF or CRLF.")
    return first_line


def _header(line: str, delimiter: str) -> list[str]:
    try:
        cells = next(csv.reader([line], delimiter=delimiter), [])
    except csv.Error:
        return []
    return [cell.strip().lower() for cell in cells]


def _known_columns(line: str, delimiter: str) -> set[str]:
    return set(_header(line, delimiter)) & {*CSV_COLUMNS, *USER_COLUMNS, *IGNORED_COLUMNS}


def _header_hint() -> str:
    return f"Line 1 must be a header: {','.join(CSV_COLUMNS)} (any order), or {','.join(USER_COLUMNS)}."


def _judge_header(path: Path, columns: tuple[str, ...], first_line: str) -> tuple[FileKind, list[str]]:
    is_header = not {*CSV_COLUMNS, *USER_COLUMNS}.isdisjoint(columns)
    repeated = sorted({column for column in columns if columns.count(column) > 1})
    if is_header and repeated:
        names = ", ".join(name or "a column without a name" for name in repeated)
        raise BadInputError(f"Line 1 of {path} has {names} twice.", hint=_header_hint())
    if set(USER_COLUMNS) <= set(columns):
        return FileKind.USERS, []
    required = [name for name in CSV_COLUMNS if FIELD_BY_NAME[name].required or name == "payload"]
    missing = [name for name in required if name not in columns]
    if len(missing) == len(required):
        shown = "".join(filter(str.isprintable, first_line))[:200]
        raise BadInputError(f"Line 1 of {path} is no header of events or users: {shown}", hint=_header_hint())
    unknown = [name for name in columns if name not in (*CSV_COLUMNS, *IGNORED_COLUMNS)]
    warnings = [f"Line 1: the column {name} is missing; no line can be valid without it." for name in missing]
    warnings += [
        f"Line 1: the column {name} is unknown; it is kept in the raw events only." for name in unknown
    ]
    return FileKind.EVENTS, warnings


@contextmanager
def open_text(path: Path) -> Iterator[io.BufferedReader]:
    """Opens a file for reading bytes of text, unpacking gzip and zstd by their first bytes.

    Reading raises OSError where a packed file is damaged or ends in the middle, after all that comes before.

    Raises:
        BadInputError: The text is UTF-16, which spreadsheets call “Unicode”.
    """
    with io.BufferedReader(cast("Any", io.FileIO(path)), 1 << 20) as file, unpack(file) as text:
        if text.peek(2).startswith(_UTF16_BOMS):
            raise BadInputError(f"{path} is UTF-16.", hint="Save it as “CSV UTF-8”.")
        yield text


class _Line(NamedTuple):
    text: bytes
    is_cut: bool


class _LineFeeder:
    """Hands lines to the CSV parser and remembers those of the record being read, to take some back.

    Attributes:
        record: The lines handed out since `start_record`.
        record_line: The number of the first of them.
        has_bad_bytes: Whether one of them was not UTF-8.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._returned: deque[_Line] = deque()
        self._next_number = 1
        self.start_record()

    def start_record(self) -> None:
        self.record: list[_Line] = []
        self.record_line = self._next_number
        self.has_bad_bytes = False

    def keep_first_line(self) -> _Line:
        """Takes back the lines of the record after its first one, which are then read again."""
        first, *others = self.record
        self._returned.extendleft(reversed(others))
        self._next_number -= len(others)
        return first

    def __iter__(self) -> "_LineFeeder":
        return self

    def __next__(self) -> str:
        line = self._returned.popleft() if self._returned else self._read_line()
        self.record.append(line)
        self._next_number += 1
        try:
            return line.text.decode()
        except UnicodeDecodeError:
            self.has_bad_bytes = True
            return line.text.decode(errors="backslashreplace")

    def _read_line(self) -> _Line:
        text = self._file.readline(MAX_RECORD_BYTES + 1)
        if not text:
            raise StopIteration
        if self._next_number == 1:
            text = text.removeprefix(_UTF8_BOM)
        if len(text) <= MAX_RECORD_BYTES:
            return _Line(text, is_cut=False)
        end = text
        while end and not end.endswith(b"\n"):
            end = self._file.readline(MAX_RECORD_BYTES)
        return _Line(text[:_MAX_KEPT_BYTES], is_cut=True)


def read_records(file: BinaryIO, csv_file: CsvFile) -> Iterator[CsvRecord]:
    """Yields the records of a file after its header, good and broken ones in the order of their lines.

    Args:
        file: The file's text, opened with `open_text`.
        csv_file: What `inspect_csv` told.

    Raises:
        OSError: A packed file ends in the middle; all records before that were yielded.
    """
    feeder = _LineFeeder(file)
    reader = csv.reader(feeder, delimiter=csv_file.delimiter, strict=True)
    width = len(csv_file.columns)
    next(reader, None)
    while True:
        feeder.start_record()
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error:
            cells = []
        if len(cells) == width and not feeder.has_bad_bytes:
            yield CsvRecord(feeder.record_line, cells)
        elif any(line.text.strip() for line in feeder.record):
            yield _broken_record(feeder, is_whole=len(cells) == width)


def _broken_record(feeder: _LineFeeder, *, is_whole: bool) -> CsvRecord:
    """The broken record that was just read; unless its cells are whole, only its first line."""
    lines = feeder.record if is_whole else [feeder.keep_first_line()]
    if any(line.is_cut for line in lines):
        defect = ErrorCode.TOO_LARGE
    else:
        defect = ErrorCode.INVALID_ENCODING if is_whole else ErrorCode.MALFORMED_LINE
    text = b"".join(line.text for line in lines).decode(errors="backslashreplace").rstrip("\r\n")
    return CsvRecord(feeder.record_line, [], defect, text)


def encode_body(columns: tuple[str, ...], cells: list[str]) -> str:
    """The body of a good line: the JSON object of its cells by column."""
    return msgspec.json.encode(dict(zip(columns, cells, strict=True))).decode()
