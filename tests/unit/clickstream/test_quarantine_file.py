"""The quarantine as a file: what is exported and sent back is the same, but for what was fixed."""

import csv
import json
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pytest

from clickstream.contract import MAX_RECORD_BYTES
from clickstream.errors import BadInputError
from clickstream.etl.quarantine_file import read_fixes, write_quarantine
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


@pytest.mark.parametrize(
    "text", ["=1+1", "'=1+1", "''=1", "'", "-5", "+7", "@a", "\tx", "\rx", "it's", "a\r\nb", '"', "\0"]
)
def test_a_text_comes_back_as_it_was(path: Path, text: str) -> None:
    body = json.dumps({"session_id": text}, ensure_ascii=False, separators=(",", ":"))
    export(path, body)

    assert json.loads(read_fixes(path)["csv/1", 0, 0]) == {"session_id": text}


@pytest.mark.parametrize("text", ["=1+1", "'=1+1", "-5"])
def test_no_cell_starts_like_a_formula(path: Path, text: str) -> None:
    export(path, json.dumps({"session_id": text}), text)

    with path.open(encoding="utf-8-sig", newline="") as file:
        cells = [cell for row in csv.DictReader(file) for cell in row.values()]

    assert not any(cell.startswith(("=", "+", "-", "@")) for cell in cells)


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
