"""CSV files: what kind of file it is, and its lines as records, broken ones included.

A record that spans several lines and is broken is taken for one broken line: reading goes on at the line
after its first, so that a quote that is never closed costs one line and not the rest of the file.
"""

import csv
import hashlib
import io
import json
import re
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO, Final, cast

import msgspec

from clickstream.contract import MAX_RECORD_BYTES
from clickstream.errors import BadInputError
from clickstream.event.clocks import SENT_AT_KEY
from clickstream.event.items import BYTE_ORDER_MARK, without_marks
from clickstream.reasons import ErrorCode
from clickstream.sources.cells import NULL_WORDS, double_quotes, split_cells, without_nulls
from clickstream.sources.header import (
    DELIMITERS,
    FileKind,
    header_hint,
    judge_header,
    known_columns,
    read_header,
)
from clickstream.sources.malformed import suspect_cause
from clickstream.sources.unpack import unpack
from clickstream.sources.wrong_files import recognise_file

_MAX_KEPT_BYTES: Final = 4096
"""How much is kept of a line that is too large."""

_HEAD_BYTES: Final = 64 << 10
_SAMPLE_RECORDS: Final = 200
_SEPARATOR_LINE: Final = re.compile(r'\A"?sep=(.)"?\s*\Z', re.IGNORECASE)
"""Excel's line on top that names the delimiter."""

_BLANK: Final = b" \t\r\n\x1a"
"""What a line may hold that counts as empty; DOS ended files with 1A."""

csv.field_size_limit(MAX_RECORD_BYTES)


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
        warnings: What is odd about the header or the first lines, a sentence each.
        header_line: The number of the line that is the header.
        escapes_quotes: Whether quotes inside of cells are escaped by a backslash, not doubled.
        recognised: What was found out about how it is written, for people.
    """

    path: str
    sha256: str
    size_bytes: int
    modified_ns: int
    kind: FileKind
    delimiter: str
    columns: tuple[str, ...]
    warnings: tuple[str, ...] = ()
    header_line: int = 1
    escapes_quotes: bool = False
    recognised: tuple[str, ...] = ()


class CsvRecord(msgspec.Struct, frozen=True, gc=False):
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
    if path.is_dir():
        raise BadInputError(f"{path} is a folder.", hint="Give the path of a CSV file.")
    if not path.is_file():
        raise BadInputError(f"There is no file {path}.", hint="Give the path of a CSV file.")
    stat = path.stat()
    try:
        with path.open("rb") as whole:
            sha256 = hashlib.file_digest(whole, "sha256").hexdigest()
    except OSError as error:
        raise BadInputError(f"{path} can't be read: {error.strerror}.") from error
    head, is_whole = _read_head(path)
    text, marks = without_byte_order_marks(head)
    lines = _LineFeeder(io.BytesIO(text))
    header_line, given_delimiter, first_line = _read_header(path, lines)
    # Of several that part as many columns, the first one counts.
    candidates = filter(None, (given_delimiter, *DELIMITERS))
    delimiter = max(candidates, key=lambda candidate: len(known_columns(first_line, candidate)))
    names = read_header(first_line, delimiter)
    # A file is loaded at any time, so what it says about when it was sent tells nothing about a clock.
    columns = tuple("sent_at in the file" if name.lower() == SENT_AT_KEY else name.lower() for name in names)
    kind, warnings = judge_header(path, tuple(names), first_line)
    file = CsvFile(
        str(path),
        sha256,
        stat.st_size,
        stat.st_mtime_ns,
        kind,
        delimiter,
        columns,
        tuple(warnings),
        header_line=header_line,
        recognised=(
            DELIMITERS.get(delimiter, f"{delimiter!r} between the cells"),
            "UTF-8" + (f" with {marks} byte order marks" if marks > 1 else " with BOM" if marks else ""),
            *(["a line that names the delimiter"] if header_line > 1 else []),
        ),
    )
    return _look_at_first_lines(file, text if is_whole else text[: text.rfind(b"\n") + 1])


def _look_at_first_lines(file: CsvFile, text: bytes) -> CsvFile:
    """Finds out how quotes are written, and what is wrong where no line can be read."""
    records = _first_records(text, file)
    escaped = msgspec.structs.replace(file, escapes_quotes=True)
    with_escapes = _first_records(text, escaped)
    bad, still_bad = (
        sum(record.defect is ErrorCode.MALFORMED_LINE for record in sample)
        for sample in (records, with_escapes)
    )
    recognised = list(file.recognised)
    has_escapes = b'\\"' in text and still_bad < bad
    if _has_spaces_around_cells(text, file.delimiter, has_escapes=has_escapes):
        recognised.append("spaces around cells")
    if has_escapes:
        recognised.append("quotes escaped by a backslash")
    file = msgspec.structs.replace(file, recognised=tuple(recognised), escapes_quotes=has_escapes)
    if has_escapes:
        return file
    if records and bad == len(records):
        first = records[0]
        cause = suspect_cause(first.text, first.line, file.delimiter, len(file.columns))
        warning = f"All of the first {bad} lines are malformed. {cause}"
        return msgspec.structs.replace(file, warnings=(*file.warnings, warning))
    return file


def _has_spaces_around_cells(text: bytes, delimiter: str, *, has_escapes: bool) -> bool:
    """Whether cells of the first lines have spaces around them."""
    as_text = text.decode(errors="replace")
    lines = (double_quotes(as_text) if has_escapes else as_text).splitlines(keepends=True)[:_SAMPLE_RECORDS]
    with suppress(csv.Error):
        return any(
            cell.strip(" ") != cell for cells in csv.reader(lines, delimiter=delimiter) for cell in cells
        )
    return False


def _first_records(text: bytes, file: CsvFile) -> list[CsvRecord]:
    return list(islice(read_records(io.BytesIO(text), file), _SAMPLE_RECORDS))


def _read_head(path: Path) -> tuple[bytes, bool]:
    """The beginning of a file's text, and whether that is all of it."""
    try:
        with open_text(path) as text:
            head, is_whole = _read_beginning(text)
    except OSError as error:
        raise BadInputError(
            f"{path} can't be unpacked: {error}.", hint="Send the whole file again."
        ) from error
    what, remedy = recognise_file(head)
    if what:
        raise BadInputError(f"{path} is {what}, not CSV in UTF-8.", hint=remedy)
    return head, is_whole


def _read_beginning(text: io.BufferedReader) -> tuple[bytes, bool]:
    """Those of the first bytes that can be unpacked, and whether the file ends there."""
    head = b""
    while len(head) < _HEAD_BYTES:
        try:
            piece = text.read1(_HEAD_BYTES - len(head))
        except OSError:
            if b"\n" not in head:
                raise
            return head, False
        if not piece:
            return head, True
        head += piece
    return head, False


def _read_header(path: Path, lines: "_LineFeeder") -> tuple[int, str, str]:
    """The number of the header's line, the delimiter if a line before it names one, and the header."""
    first_line = next(lines, "")
    separator = _SEPARATOR_LINE.match(first_line)
    header = next(lines, "") if separator else first_line
    if not header.strip():
        is_empty = not first_line and not next(lines, "")
        what = "is empty" if is_empty else "has a blank first line"
        raise BadInputError(f"{path} {what}.", hint=header_hint())
    if "\r" in header.strip():
        raise BadInputError(f"{path} has carriage returns inside line 1.", hint="End lines with LF or CRLF.")
    return (2, separator[1], header) if separator else (1, "", header)


@contextmanager
def open_text(path: Path) -> Iterator[io.BufferedReader]:
    """Opens a file for reading bytes of text, unpacking gzip and zstd by their first bytes.

    Reading raises OSError where a packed file is damaged or ends in the middle, after all that comes before.
    """
    with io.BufferedReader(cast("Any", io.FileIO(path)), 1 << 20) as file, unpack(file) as text:
        yield text


class _CutLine(bytes):
    """The beginning of a line that is too large."""


class _LineFeeder:
    """Hands lines to the CSV parser and remembers those of the record being read, to take some back.

    Attributes:
        record: The lines handed out since `start_record`.
        record_line: The number of the first of them.
        has_bad_bytes: Whether one of them was not UTF-8.
    """

    def __init__(self, file: BinaryIO, *, escapes_quotes: bool = False) -> None:
        self._read = file.readline
        self._escapes_quotes = escapes_quotes
        self._returned: deque[bytes] = deque()
        self._next_number = 1
        self.start_record()

    def start_record(self) -> None:
        self.record: list[bytes] = []
        self.record_line = self._next_number
        self.has_bad_bytes = False

    def text(self) -> str:
        """The record as the parser got it."""
        text = b"".join(self.record).decode(errors="backslashreplace")
        return double_quotes(text) if self._escapes_quotes else text

    def keep_first_line(self) -> bytes:
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
            text = line.decode()
        except UnicodeDecodeError:
            self.has_bad_bytes = True
            return line.decode(errors="backslashreplace")
        return double_quotes(text) if self._escapes_quotes else text

    def _read_line(self) -> bytes:
        line = self._read(MAX_RECORD_BYTES + 1)
        if not line:
            raise StopIteration
        if self._next_number == 1:
            line, _ = without_byte_order_marks(line)
        if len(line) <= MAX_RECORD_BYTES:
            return line
        end = line
        while end and not end.endswith(b"\n"):
            end = self._read(MAX_RECORD_BYTES)
        return _CutLine(line[:_MAX_KEPT_BYTES])


def without_byte_order_marks(text: bytes) -> tuple[bytes, int]:
    """A text without the byte order marks at its start, and how many there were."""
    rest = without_marks(text)
    return rest, (len(text) - len(rest)) // len(BYTE_ORDER_MARK)


def read_records(file: BinaryIO, csv_file: CsvFile) -> Iterator[CsvRecord]:
    """Yields the records of a file after its header, good and broken ones in the order of their lines.

    Args:
        file: The file's text, opened with `open_text`.
        csv_file: What `inspect_csv` told.

    Raises:
        OSError: A packed file ends in the middle; all records before that were yielded.
    """
    feeder = _LineFeeder(file, escapes_quotes=csv_file.escapes_quotes)
    delimiter, width = csv_file.delimiter, len(csv_file.columns)
    reader = csv.reader(feeder, delimiter=delimiter, strict=True, skipinitialspace=True)
    space_before_delimiter = f" {delimiter}".encode()
    for _ in range(csv_file.header_line):
        next(feeder, None)
    while True:
        feeder.start_record()
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error:
            cells = split_cells(feeder.text(), delimiter) or []
        lines = feeder.record
        line = lines[0] if len(lines) == 1 else b"".join(lines)
        if space_before_delimiter in line or (cells and cells[-1][-1:] == " "):
            # The reader does not tell whether a cell was quoted, inside of which spaces count.
            cells = split_cells(feeder.text(), delimiter) or cells
        while len(cells) > width and not cells[-1]:
            del cells[-1]
        if len(cells) == width and not feeder.has_bad_bytes:
            if not NULL_WORDS.isdisjoint(cells):
                cells = without_nulls(cells)
            yield CsvRecord(feeder.record_line, cells)
        elif any(line.strip(_BLANK) for line in feeder.record):
            yield _broken_record(feeder, is_whole=len(cells) == width)


def _broken_record(feeder: _LineFeeder, *, is_whole: bool) -> CsvRecord:
    """The broken record that was just read; unless its cells are whole, only its first line."""
    lines = feeder.record if is_whole else [feeder.keep_first_line()]
    if any(isinstance(line, _CutLine) for line in lines):
        defect = ErrorCode.TOO_LARGE
    else:
        defect = ErrorCode.INVALID_ENCODING if is_whole else ErrorCode.MALFORMED_LINE
    text = b"".join(lines).decode(errors="backslashreplace").rstrip("\r\n")
    return CsvRecord(feeder.record_line, [], defect, text)


@lru_cache(maxsize=8)
def body_encoder(columns: tuple[str, ...]) -> Callable[[list[str]], bytes]:
    """What makes the body of a good line: the JSON object of its cells by column."""
    # Encoding a struct takes half as long as encoding a dict, but its names are written as they are.
    if any(json.dumps(column, ensure_ascii=False) != f'"{column}"' for column in columns):
        return lambda cells: encode_body(columns, cells).encode()
    names = {f"cell_{place}": column for place, column in enumerate(columns)}
    line = msgspec.defstruct("Line", [(name, str) for name in names], rename=names, gc=False)
    encode = msgspec.json.Encoder().encode
    return lambda cells: encode(line(*cells))


def encode_body(columns: tuple[str, ...], cells: list[str]) -> str:
    """The body of one line; `body_encoder` is quicker for many."""
    return msgspec.json.encode(dict(zip(columns, cells, strict=True))).decode()
