"""CSV files: every delimiter, encoding and packing is read, and a broken line costs only itself."""

import gzip
import json
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard

from clickstream.contract import CSV_COLUMNS, MAX_RECORD_BYTES
from clickstream.decode import SentEvent, read_record
from clickstream.errors import BadInputError
from clickstream.reasons import ErrorCode
from clickstream.sources.csv import CsvRecord, body_encoder, encode_body, inspect_csv, open_text, read_records
from clickstream.sources.header import FileKind

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


@pytest.mark.parametrize(
    ("delimiter", "name"),
    [(",", "commas"), (";", "semicolons"), ("\t", "tabs"), ("|", "pipes")],
    ids=["comma", "semicolon", "tab", "pipe"],
)
def test_reads_each_delimiter(path: Path, delimiter: str, name: str) -> None:
    path.write_text(
        HEADER.replace(",", delimiter) + "\n" + delimiter.join(("view", "t", "s", "1", "/", "{}")) + "\n"
    )

    file = inspect_csv(path)

    assert (file.delimiter, file.recognised) == (delimiter, (name, "UTF-8"))
    assert [record.cells for record in read(path)] == [["view", "t", "s", "1", "/", "{}"]]


@pytest.mark.parametrize("end", ["\n", "\r\n"], ids=["lf", "crlf"])
@pytest.mark.parametrize(
    "mark", [b"", b"\xef\xbb\xbf", b"\xef\xbb\xbf" * 2], ids=["plain", "bom", "two_boms"]
)
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
    path.write_text(" User_ID ,TYPE,session_id, created_at,URL,payload\n1,view,s,t,/,{}\n")

    assert inspect_csv(path).columns == ("user_id", "type", "session_id", "created_at", "url", "payload")


def test_warns_of_unknown_columns(path: Path) -> None:
    path.write_text(f"{HEADER},colour\n{good(1)},red\n")

    assert inspect_csv(path).warnings == (
        "Line 1: the column colour is unknown; it is kept in the raw events only.",
    )


def test_a_column_named_like_the_time_of_a_batch_moves_no_event(path: Path) -> None:
    path.write_text(f"{HEADER},_sent_at\n{good(1)},2020-01-01T00:00:00Z\n")

    file = inspect_csv(path)
    record = read_record(encode_body(file.columns, read(path)[0].cells))

    assert isinstance(record, SentEvent)
    assert record.sent_at is None


@pytest.mark.parametrize("name", ['say "hi"', "a\\b", "a\tb", "цвет", "\x7f", "a\u2028b", "\x01"])
def test_a_column_of_any_name_is_kept(path: Path, name: str) -> None:
    quoted = name.replace('"', '""')
    path.write_text(f'{HEADER},"{quoted}"\n{good(1)},red\n')

    file = inspect_csv(path)
    [record] = read(path)

    body = body_encoder(file.columns)(record.cells).decode()
    assert json.loads(body)[name] == "red"
    assert body == encode_body(file.columns, record.cells)


DIALECTS: dict[str, tuple[str, list[str]]] = {
    "excels_line": ("sep=;\r\n" + HEADER.replace(",", ";") + "\r\nview;t;s-1;1;/;{}\r\n", ["s-1"]),
    "quoted_excels_line": ('"sep=;"\n' + HEADER.replace(",", ";") + "\nview;t;s-1;1;/;{}\n", ["s-1"]),
    "cell_too_many": (f"{HEADER}\nview,t,s-1,1,/,{{}},\nview,t,s-2,1,/,{{}},\n", ["s-1", "s-2"]),
    "cell_too_many_in_the_header": (f"{HEADER},\nview,t,s-1,1,/,{{}},\n", ["s-1"]),
    "cells_too_many_at_the_end": (
        f"{HEADER},,,\nview,t,s-1,1,/,{{}},,,\nview,t,s-2,1,/,{{}}\n",
        ["s-1", "s-2"],
    ),
    "excels_line_with_another_delimiter": (f"sep=;\n{HEADER}\nview,t,s-1,1,/,{{}}\n", ["s-1"]),
    "excels_line_before_a_byte_order_mark": (f"sep=,\n\ufeff{HEADER}\nview,t,s-1,1,/,{{}}\n", ["s-1"]),
    "end_of_a_dos_file": (f"{HEADER}\nview,t,s-1,1,/,{{}}\n\x1a", ["s-1"]),
    "spaces_after_commas": (f'{HEADER.replace(",", ", ")}\nview, t, s-1, 1, /, "{{}}"\n', ["s-1"]),
    "spaces_before_commas": (f'{HEADER}\nview ,t , s-1 ,"1" ,/ ,"{{}}" \n', ["s-1"]),
    "spaces_inside_of_quotes": (f'{HEADER}\nview," t ","  s-1 ",1 ,/,"{{}}"\n', ["  s-1 "]),
    "spaces_around_quotes_after_a_line_break": (f'{HEADER}\n"view", "t\nt" , s-1 ,1,/,"{{}}"\n', ["s-1"]),
    "spaces_after_many_lines": (
        f"{HEADER}\n" + "view,t,s-1,1,/,{}\n" * 5_000 + 'view , t, s-2 ,1,/, "{""a"": ""b ,c""}" \n',
        ["s-1"] * 5_000 + ["s-2"],
    ),
    "null_words": (f"{HEADER}\nview,NaN,\\N,nan,NULL,None\nview,null,s-2,1,/,{{}}\n", ["", "s-2"]),
    "quotes_escaped_by_backslashes": (
        f'{HEADER}\nview,t,s-1,1,/,"{{\\"a\\": \\"b, c\\"}}"\nview,t,"s-\\"2\\"",1,/,"{{}}"\n',
        ["s-1", 's-"2"'],
    ),
}


@pytest.mark.parametrize(("content", "expected"), DIALECTS.values(), ids=DIALECTS)
def test_reads_what_other_programs_write(path: Path, content: str, expected: list[str]) -> None:
    path.write_bytes(content.encode())

    records = read(path)

    assert defects(records) == []
    assert sessions(records) == expected


def test_words_for_no_value_and_spaces_leave_no_trace(path: Path) -> None:
    path.write_bytes(DIALECTS["null_words"][0].encode())
    assert read(path)[0].cells == ["view", "", "", "", "", ""]
    path.write_bytes(DIALECTS["spaces_before_commas"][0].encode())
    assert read(path)[0].cells == ["view", "t", "s-1", "1", "/", "{}"]


def test_a_payload_with_escaped_quotes_is_read_as_json(path: Path) -> None:
    path.write_bytes(DIALECTS["quotes_escaped_by_backslashes"][0].encode())

    assert inspect_csv(path).recognised == ("commas", "UTF-8", "quotes escaped by a backslash")
    assert read(path)[0].cells[-1] == '{"a": "b, c"}'


def test_backslashes_of_json_are_left_alone_where_quotes_are_doubled(path: Path) -> None:
    write(path, 'view,t,s-1,1,/,"{""a"": ""x\\""y"", ""b"": ""\\u0431""}"')

    assert read(path)[0].cells[-1] == '{"a": "x\\"y", "b": "\\u0431"}'


def test_lines_are_counted_with_excels_line(path: Path) -> None:
    path.write_text(DIALECTS["excels_line"][0])

    assert [record.line for record in read(path)] == [3]


@pytest.mark.parametrize(
    ("line", "part"),
    [
        ('view,t,s,1,/,{"a": 1, "b": 2}', "not quoted"),
        ('view,t,s,1,/,\'{"a": 1, "b": 2}\'', "single quotes"),
        ('view,t,s,1,/,"{"a": 1, "b": 2}"', "doubled"),
        ("view,t,s", "The header has 6 cells and line 2 has 3."),
        ('view,t,s,1,/,"{""a"": 1, ""b"": 2}",x', "The header has 6 cells and line 2 has 7."),
        ("view,t,s,1,/a\\,b,{}", "escaped by backslashes"),
        ('"view,t,s,1,/,{}"', "in quotes as a whole"),
        ("view,t,s\r1,1,/,{}", "Carriage returns"),
    ],
)
def test_says_what_seems_wrong_where_every_line_is_malformed(path: Path, line: str, part: str) -> None:
    write(path, *[line] * 5)

    (warning,) = inspect_csv(path).warnings

    assert warning.startswith("All of the first 5 lines are malformed. ")
    assert part in warning


def test_knows_a_file_of_users_by_its_header(path: Path) -> None:
    path.write_text("id,fio,country\n1,Ada Lovelace,GB\n")

    assert inspect_csv(path).kind is FileKind.USERS


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (b"\n\n", "has a blank first line"),
        (b"a,b,c\n1,2,3\n", "not a header of events or users: a,b,c"),
        (b"type,type\n", "has type twice"),
        (b"type,,,payload\n", "has a column without a name twice"),
        (b"1,view,,,\n", "not a header of events or users: 1,view"),
        (b"\x00\x01PK\x02\n", "is binary, not CSV"),
        (b"PK\x03\x04\x14\x00events.csv", "is a ZIP archive"),
        (b"PK\x03\x04\x14\x00[Content_Types].xml xl/workbook.xml", "is an Excel workbook"),
        (b"\xfd7zXZ\x00\x00", "packed with xz"),
        (b"\x89PNG\r\n\x1a\n", "an image"),
        (b'{"type": "view"}\n{"type": "click"}\n', "is JSON"),
        (b"<!DOCTYPE html><html>", "HTML"),
        (gzip.compress("type,user_id".encode("utf-16")), "UTF-16"),
        ("type,user_id\n".encode("utf-16-le"), "UTF-16"),
        ("type,user_id\n".encode("utf-16-be"), "UTF-16"),
        (b"id,name,country\n", "no column fio of users"),
        (b"type,created_at,session_id,user_id,url\n", "has no column payload, so no line"),
        (b"type,payload\rview,{}\r", "carriage returns inside line 1"),
        (b"\x1f\x8b\x08", "can't be unpacked: it is truncated"),
        ("type,user_id".encode("utf-16"), "UTF-16"),
        ("type,user_id".encode("utf-32"), "UTF-32"),
        (gzip.compress(gzip.compress(b"type,user_id")), "packed twice"),
        (zlib.compress(b"type,user_id"), "packed with zlib"),
        (b"events.csv".ljust(257, b"\0") + b"ustar", "a tar archive"),
        (b"PK\x03\x04\x14\x00word/document.xml", "a Word document"),
        (b"PK\x03\x04\x14\x00Index/Document.iwa", "a spreadsheet"),
        (b"{\\rtf1\\ansi type,user_id}", "a document in RTF"),
        (b"\0\0\0\x18ftypheic", "an image or a film"),
        (b"ARROW1\0\0", "an Arrow file"),
        (b"FEA1", "a Feather file"),
    ],
    ids=[
        "empty",
        "blank",
        "other_columns",
        "column_twice",
        "columns_without_a_name",
        "no_header",
        "binary",
        "zip",
        "excel",
        "xz",
        "png",
        "json_lines",
        "html",
        "packed_utf16",
        "utf16_le_without_mark",
        "utf16_be_without_mark",
        "other_users",
        "no_payload",
        "carriage_returns",
        "truncated",
        "utf16",
        "utf32",
        "packed_twice",
        "zlib",
        "tar",
        "word",
        "numbers",
        "rtf",
        "heic",
        "arrow",
        "feather",
    ],
)
def test_refuses_a_file_that_holds_no_events(path: Path, content: bytes, words: str) -> None:
    path.write_bytes(content)

    with pytest.raises(BadInputError, match=words) as refusal:
        inspect_csv(path)

    assert refusal.value.hint


@pytest.mark.parametrize(
    ("header", "hints"),
    [
        (
            "id,type,createdAt,sessionId,userId,url,payload",
            [
                "createdAt seems to be created_at",
                "sessionId seems to be session_id",
                "userId seems to be user_id",
            ],
        ),
        (
            "type,created_at,session_id,user_id,url,event_title,element_id,x,y",
            ["event_title, element_id, x, y belong into payload"],
        ),
        (
            "event_time,event_type,product_id,price,user_id,user_session",
            [
                "event_time seems to be created_at",
                "event_type seems to be type",
                "user_session seems to be session_id",
            ],
        ),
        ("type,creatd_at,session_id,user_id,url,payload", ["creatd_at seems to be created_at"]),
    ],
    ids=["camel_case", "flat_payload", "another_shop", "slip"],
)
def test_a_header_near_ours_is_refused_with_what_seems_to_be_which(
    path: Path, header: str, hints: list[str]
) -> None:
    path.write_text(header + "\n")

    with pytest.raises(BadInputError, match="so no line can be an event") as refusal:
        inspect_csv(path)

    assert all(hint in refusal.value.hint for hint in hints)


def test_says_that_there_is_no_file(path: Path) -> None:
    with pytest.raises(BadInputError, match="There is no file"):
        inspect_csv(path)


def test_says_that_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="is a folder"):
        inspect_csv(tmp_path)


def test_the_identity_of_a_file_is_its_content(path: Path, tmp_path: Path) -> None:
    write(path, good(1))
    copy = tmp_path / "copy.csv"
    copy.write_bytes(path.read_bytes())

    assert inspect_csv(path).sha256 == inspect_csv(copy).sha256


def test_the_header_of_the_contract_has_no_fields_of_the_payload() -> None:
    assert "payload" in CSV_COLUMNS
    assert not any("." in column for column in CSV_COLUMNS)
