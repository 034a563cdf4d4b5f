"""CSV files: every delimiter, encoding and packing is read, and a broken line costs only itself."""

import gzip
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard

from clickstream.contract import CSV_COLUMNS, MAX_RECORD_BYTES
from clickstream.errors import BadInputError
from clickstream.reasons import ErrorCode
from clickstream.sources.csv import CsvRecord, FileKind, inspect_csv, open_text, read_records

HEADER = "type,created_at,session_id,user_id,url,payload"
GOOD = 'view,2025-01-01T10:00:00Z,s-{n},{n},/,"{{""event_title"": ""t"", ""element_id"": ""#e""}}"'


def good(n: int) -> str:
    return GOOD.format(n=n)


def read(path: Path) -> list[CsvRecord]:
    file = inspect_csv(path)
    with open_text(path) as text:
        return list(read_records(text, file))


def write(path: Path, *lines: str, end: str = "\n") -> Path:
    path.write_bytes(end.join((HEADER, *lines, "")).encode())
    return path


def sessions(records: list[CsvRecord]) -> list[str]:
    return [record.cells[2] for record in records if record.defect is None]


def defects(records: list[CsvRecord]) -> list[tuple[int, ErrorCode | None]]:
    return [(record.line, record.defect) for record in records if record.defect is not None]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "events.csv"


@pytest.mark.parametrize("delimiter", [",", ";", "\t"], ids=["comma", "semicolon", "tab"])
def test_reads_each_delimiter(path: Path, delimiter: str) -> None:
    path.write_text(
        delimiter.join(("user_id", "type", "session_id")) + "\n" + delimiter.join(("1", "view", "s")) + "\n"
    )

    assert inspect_csv(path).delimiter == delimiter
    assert [record.cells for record in read(path)] == [["1", "view", "s"]]


@pytest.mark.parametrize("end", ["\n", "\r\n"], ids=["lf", "crlf"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"], ids=["plain", "bom"])
def test_reads_line_ends_and_byte_order_marks(path: Path, end: str, mark: bytes) -> None:
    write(path, good(1), good(2), end=end)
    path.write_bytes(mark + path.read_bytes())

    assert inspect_csv(path).columns[0] == "type"
    assert sessions(read(path)) == ["s-1", "s-2"]


@pytest.mark.parametrize("pack", [gzip.compress, zstandard.compress], ids=["gzip", "zstd"])
def test_unpacks_all_frames_of_a_packed_file(path: Path, pack: object) -> None:
    assert callable(pack)
    write(path, *map(good, range(100)))
    text = path.read_bytes()
    path.write_bytes(pack(text[:5000]) + pack(text[5000:]))

    assert len(sessions(read(path))) == 100


@pytest.mark.parametrize("pack", [gzip.compress, zstandard.compress], ids=["gzip", "zstd"])
@pytest.mark.parametrize(
    "damage", [lambda packed: packed[:-5], lambda packed: packed + b"garbage"], ids=["truncated", "longer"]
)
def test_says_that_a_packed_file_is_damaged_after_the_lines_before(
    path: Path, pack: Callable[[bytes], bytes], damage: Callable[[bytes], bytes]
) -> None:
    write(path, *map(good, range(100)))
    path.write_bytes(pack(path.read_bytes()[:5000]) + damage(pack(path.read_bytes()[5000:])))
    records: list[CsvRecord] = []

    with open_text(path) as text, pytest.raises(OSError, match=r"truncated|header|frame"):
        records.extend(read_records(text, inspect_csv(path)))

    assert len(sessions(records)) >= 50


def test_the_last_line_needs_no_line_end(path: Path) -> None:
    write(path, good(1), good(2))
    path.write_bytes(path.read_bytes().removesuffix(b"\n"))

    assert sessions(read(path)) == ["s-1", "s-2"]


def test_a_quoted_line_break_stays_in_its_cell_and_counts_as_a_line(path: Path) -> None:
    write(path, 'view,2025-01-01T10:00:00Z,"s-\n1",1,/,"{}"', good(2))

    records = read(path)

    assert sessions(records) == ["s-\n1", "s-2"]
    assert [record.line for record in records] == [2, 4]


def test_blank_lines_are_no_events(path: Path) -> None:
    write(path, good(1), "", "  ", good(2))

    assert [record.line for record in read(path)] == [2, 5]


@pytest.mark.parametrize(
    "broken",
    ["view,only,three", good(9) + ",one,too,many", 'view,"quo"ted,s,1,/,{}', 'view,"never closed,s,1,/,{}'],
    ids=["too_few_cells", "too_many_cells", "text_after_quote", "open_quote"],
)
def test_a_malformed_line_is_kept_and_costs_no_other(path: Path, broken: str) -> None:
    write(path, good(1), broken, good(2), good(3))

    records = read(path)

    assert sessions(records) == ["s-1", "s-2", "s-3"]
    assert defects(records) == [(3, ErrorCode.MALFORMED_LINE)]
    assert records[1].text == broken


def test_a_quote_left_open_at_the_end_is_one_malformed_line(path: Path) -> None:
    write(path, good(1), 'view,"never closed')

    assert defects(read(path)) == [(3, ErrorCode.MALFORMED_LINE)]


def test_a_line_that_is_not_utf8_is_kept_with_its_bytes(path: Path) -> None:
    write(path, good(1), good(2), good(3))
    path.write_bytes(path.read_bytes().replace(b"s-2", b"s-\xff2"))

    records = read(path)

    assert sessions(records) == ["s-1", "s-3"]
    assert defects(records) == [(3, ErrorCode.INVALID_ENCODING)]
    assert "s-\\xff2" in records[1].text


def test_an_endless_line_is_cut_and_does_not_fill_the_memory(path: Path) -> None:
    write(path, good(1), "x" * (5 * MAX_RECORD_BYTES), good(2))

    records = read(path)

    assert sessions(records) == ["s-1", "s-2"]
    assert defects(records) == [(3, ErrorCode.TOO_LARGE)]
    assert len(records[1].text) < MAX_RECORD_BYTES


def test_the_header_may_be_in_any_order_case_and_spacing(path: Path) -> None:
    path.write_text(" User_ID ,TYPE,session_id\n1,view,s\n")

    assert inspect_csv(path).columns == ("user_id", "type", "session_id")


def test_warns_of_missing_and_unknown_columns(path: Path) -> None:
    path.write_text("type,colour\nview,red\n")

    warnings = " ".join(inspect_csv(path).warnings)

    assert "column user_id is missing" in warnings
    assert "column colour is unknown" in warnings


def test_knows_a_file_of_users_by_its_header(path: Path) -> None:
    path.write_text("id,fio,country\n1,Ada Lovelace,GB\n")

    assert inspect_csv(path).kind is FileKind.USERS


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (b"\n\n", "has a blank first line"),
        (b"a,b,c\n1,2,3\n", "no header of events or users: a,b,c"),
        (b"type,type\n", "has type twice"),
        (b"type,payload,,\n", "has a column without a name twice"),
        (b"1,view,,,\n", "no header of events or users: 1,view"),
        (b"\x00\x01PK\x02\n", "no header of events or users: PK$"),
        (b"type,payload\rview,{}\r", "carriage returns inside line 1"),
        (b"\x1f\x8b\x08", "can't be unpacked: it is truncated"),
        ("type,user_id".encode("utf-16"), "UTF-16"),
    ],
    ids=[
        "empty",
        "blank",
        "other_columns",
        "column_twice",
        "columns_without_a_name",
        "no_header",
        "binary",
        "carriage_returns",
        "truncated",
        "utf16",
    ],
)
def test_refuses_a_file_that_holds_no_events(path: Path, content: bytes, words: str) -> None:
    path.write_bytes(content)

    with pytest.raises(BadInputError, match=words) as refusal:
        inspect_csv(path)

    assert refusal.value.hint


def test_says_that_there_is_no_file(path: Path) -> None:
    with pytest.raises(BadInputError, match="There is no file"):
        inspect_csv(path)


def test_the_identity_of_a_file_is_its_content(path: Path, tmp_path: Path) -> None:
    write(path, good(1))
    copy = tmp_path / "copy.csv"
    copy.write_bytes(path.read_bytes())

    assert inspect_csv(path).sha256 == inspect_csv(copy).sha256


def test_the_header_of_the_contract_has_no_fields_of_the_payload() -> None:
    assert "payload" in CSV_COLUMNS
    assert not any("." in column for column in CSV_COLUMNS)
