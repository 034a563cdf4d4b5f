"""The quarantine as a file: what is exported and sent back is the same, but for what was fixed."""

import csv
import io
import json
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clickstream.contract import MAX_RECORD_BYTES
from clickstream.errors import BadInputError
from clickstream.etl.quarantine_file import read_fixes, write_quarantine
from clickstream.loads.history import PROBLEM_COLUMNS
from clickstream.sources.csv import inspect_csv
from clickstream.storage.quarantine import QUARANTINED_SCHEMA


def quarantined(*bodies: str) -> pa.Table:
    received = datetime(2025, 1, 1, tzinfo=UTC)
    error = {"code": "invalid_ip", "field": "ip", "message": "ip must be an address.", "value": "x"}
    rows = [
        {
            "source": "csv",
            "origin": "csv/1",
            "offset": line,
            "item": 0,
            "original": "",
            "received_at": received,
            "body": body,
            "reasons": ["invalid_ip"],
            "errors": [error],
            "quarantined_at": received,
            "replayed_at": None,
        }
        for line, body in enumerate(bodies)
    ]
    return pa.Table.from_pylist(rows, schema=QUARANTINED_SCHEMA)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "bad.csv"


def export(path: Path, *bodies: str) -> None:
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        assert write_quarantine(file, [quarantined(*bodies)]) == len(bodies)


FORMULAS = [
    "=1+1",
    "'=1+1",
    "''=1",
    "-5",
    "+7",
    "@a",
    "\tx",
    "\rx",
    "\n=1",
    "\t=1",
    "a;=1+1",
    "a;'=1+1",
    "a,=1+1",
    "a;;=1",
    "a\t=1",
    "a\r\n=1",
    'a;"=1+1"',
    '"=1',
    " =1",
    "\N{NO-BREAK SPACE}=1",
    "\N{FULLWIDTH EQUALS SIGN}1",
    "\N{FULLWIDTH PLUS SIGN}1",
    "\N{FULLWIDTH HYPHEN-MINUS}1",
    "\N{FULLWIDTH COMMERCIAL AT}SUM(1)",
    "a;\N{FULLWIDTH EQUALS SIGN}1",
]
SIGNS = tuple("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20")


@pytest.mark.parametrize("text", [*FORMULAS, "'", "it's", "a\r\nb", '"', "\0", "a;'b", "[1,-2]"])
def test_a_text_comes_back_as_it_was(path: Path, text: str) -> None:
    body = json.dumps({"session_id": text}, ensure_ascii=False, separators=(",", ":"))
    export(path, body)

    assert json.loads(read_fixes(path)["csv/1", 0, 0]) == {"session_id": text}


@given(
    st.lists(st.text("='0aeE1-/.: ;\n", max_size=8), min_size=1, max_size=5),
    st.booleans(),
)
def test_any_number_or_date_comes_back_as_it_was(texts: list[str], for_excel: bool) -> None:
    file = io.StringIO(newline="")
    write_quarantine(file, [quarantined(*texts)], for_excel=for_excel)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "bad.csv"
        path.write_text(file.getvalue(), encoding="utf-8-sig", newline="")

        assert list(read_fixes(path).values()) == texts


LONG_ID = "18446744073709551615"


@pytest.mark.parametrize(
    "value",
    [
        *(LONG_ID, "1234567890123456", "007", "1e5", "42.0", "1,5", "1.234.567", "50 %"),
        *("2025-01-01", "2025-01-01 10:00:00", "1.2.2025", "3/4", "May 5", "5-okt-25", "10:00", "9:15 PM"),
        *("true", "FALSE"),
    ],
)
def test_for_excel_what_it_would_change_is_a_text_and_comes_back(path: Path, value: str) -> None:
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        write_quarantine(file, [quarantined(json.dumps({"session_id": value}))], for_excel=True)
    with path.open(encoding="utf-8-sig", newline="") as file:
        (row,) = csv.DictReader(file, delimiter=";")

    assert row["session_id"] == f"'{value}"
    assert read_fixes(path) == {("csv/1", 0, 0): json.dumps({"session_id": value}, separators=(",", ":"))}


@pytest.mark.parametrize(
    "value",
    [
        *("0", "42", "123456789012345", "192.0.2.17", "2001:db8::1", "2025-01-01T10:00:00.000Z"),
        *("s-77", "a1b2c3", "Mozilla/5.0 (X11)", "curl/8.0", "Chrome 12", "/catalog?a=1", "mobile", "it's"),
    ],
)
def test_for_excel_what_it_keeps_has_no_apostrophe(path: Path, value: str) -> None:
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        write_quarantine(file, [quarantined(json.dumps({"session_id": value}))], for_excel=True)
    with path.open(encoding="utf-8-sig", newline="") as file:
        (row,) = csv.DictReader(file, delimiter=";")

    assert row["session_id"] == value
    assert (row["offset"], row["item"]) == ("0", "0")
    assert row["received_at"] == "2025-01-01T00:00:00+00:00"


@pytest.mark.parametrize(
    ("cells", "body", "sent"),
    [
        pytest.param({"type": "view", "url": "/"}, "view;/", '{"type":"view","url":"/"}', id="filled cells"),
        pytest.param({}, '{"type":"view"}', '{"type":"view"}', id="an edited body"),
        pytest.param({"type": "view"}, '{"type":"click"}', '{"type":"view"}', id="both: the cells"),
    ],
)
def test_a_text_without_fields_is_fixed_by_its_cells_or_by_its_body(
    path: Path, cells: dict[str, str], body: str, sent: str
) -> None:
    export(path, "view;/")
    with path.open(encoding="utf-8-sig", newline="") as file:
        (row,) = csv.DictReader(file)
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.DictWriter(file, row.keys())
        writer.writeheader()
        writer.writerow(row | cells | {"body": body})

    assert read_fixes(path) == {("csv/1", 0, 0): sent}


def test_for_others_a_number_stays_a_number(path: Path) -> None:
    export(path, json.dumps({"user_id": LONG_ID}))

    with path.open(encoding="utf-8-sig", newline="") as file:
        (row,) = csv.DictReader(file)
    assert (row["user_id"], row["offset"]) == (LONG_ID, "0")


@given(st.lists(st.text("=-@\N{FULLWIDTH EQUALS SIGN}'\";,\t\r\n a", max_size=8), min_size=1, max_size=5))
def test_any_text_comes_back_as_it_was(texts: list[str]) -> None:
    file = io.StringIO(newline="")
    write_quarantine(file, [quarantined(*texts)])
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "bad.csv"
        path.write_text(file.getvalue(), encoding="utf-8-sig", newline="")

        assert list(read_fixes(path).values()) == texts


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("text", FORMULAS)
def test_no_cell_starts_like_a_formula_wherever_a_spreadsheet_splits(
    path: Path, text: str, delimiter: str
) -> None:
    export(path, json.dumps({"session_id": text}, ensure_ascii=False), text)

    with path.open(encoding="utf-8-sig", newline="") as file:
        cells = [cell for row in csv.reader(file, delimiter=delimiter) for cell in row]

    assert [cell for cell in cells if cell.strip(' "\N{NO-BREAK SPACE}').startswith(SIGNS)] == []


def test_a_record_without_fields_keeps_its_text(path: Path) -> None:
    export(path, 'view,"open', "=view")

    assert read_fixes(path) == {("csv/1", 0, 0): 'view,"open', ("csv/1", 1, 0): "=view"}


def test_the_longest_body_comes_back(path: Path) -> None:
    body = json.dumps({"session_id": "\x01" * MAX_RECORD_BYTES})
    limit = csv.field_size_limit()
    export(path, body)

    assert read_fixes(path)["csv/1", 0, 0] == body
    assert csv.field_size_limit() == limit


@pytest.mark.parametrize("delimiter", [";", "\t"])
def test_a_spreadsheet_may_write_another_delimiter(path: Path, delimiter: str) -> None:
    export(path, '{"session_id":"a;b,c"}')
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.reader(file))
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        csv.writer(file, delimiter=delimiter).writerows(rows)

    assert read_fixes(path) == {("csv/1", 0, 0): '{"session_id":"a;b,c"}'}


def test_refuses_a_file_that_is_no_export(path: Path) -> None:
    path.write_text("id,type\n1,view\n")

    with pytest.raises(BadInputError, match="no column origin, offset, item, body"):
        read_fixes(path)


def test_load_recognises_an_export_and_says_replay(path: Path) -> None:
    export(path, '{"session_id":"a"}')

    with pytest.raises(BadInputError, match="is an export of the quarantine") as refused:
        inspect_csv(path)
    assert refused.value.hint == f"Send them again: clickstream quarantine replay {path}"


def test_load_recognises_a_report(path: Path) -> None:
    path.write_text(",".join(PROBLEM_COLUMNS) + "\n3,refused,too_long,url,,\n")

    with pytest.raises(BadInputError, match="is the report on a loaded file"):
        inspect_csv(path)
