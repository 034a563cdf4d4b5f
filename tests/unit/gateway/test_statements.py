"""Where the rows of an insert begin."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stack.gateway.statements import split_rows, string_literals

INSERTS = {
    "format": (b"insert into t format TSV\n1\n", "TSV", b"insert into t ", b"1\n"),
    "rows on the line": (b"insert into t format TSV 1\n", "TSV", b"insert into t ", b"1\n"),
    "a line break of two": (b"insert into t format TSV\r\n1\n", "TSV", b"insert into t ", b"1\n"),
    "an empty row": (b"insert into t format TSV\n\n1\n", "TSV", b"insert into t ", b"\n1\n"),
    "values": (b"insert into t (a) values (1)", "Values", b"insert into t (a) ", b" (1)"),
    "no blanks": (b"insert into d.t(a,b) values(1,2)", "Values", b"insert into d.t(a,b) ", b"(1,2)"),
    "settings": (b"insert into t settings x=1 format CSV\n", "CSV", b"insert into t settings x=1 ", b""),
    "a table named values": (b"insert into values values (1)", "Values", b"insert into values ", b" (1)"),
    "the keyword table": (b"insert into table t values (1)", "Values", b"insert into table t ", b" (1)"),
    "a quoted name": (b"insert into `a format b` format CSV\n1", "CSV", b"insert into `a format b` ", b"1"),
    "a column named values": (
        b"insert into t (format) values (1)",
        "Values",
        b"insert into t (format) ",
        b" (1)",
    ),
    "binary rows with a quote": (
        b"with {p:UInt8} as v insert into t format Native\n\x01'\x00",
        "Native",
        b"with {p:UInt8} as v insert into t ",
        b"\x01'\x00",
    ),
}


@pytest.mark.parametrize(("text", "fmt", "head", "rows"), INSERTS.values(), ids=INSERTS)
def test_an_inserts_rows_begin_behind_its_statement(text: bytes, fmt: str, head: bytes, rows: bytes) -> None:
    found = split_rows(text)
    assert found is not None
    assert (found.format, found.head, text[found.data_start :]) == (fmt, head, rows)


@pytest.mark.parametrize(
    "sql",
    [
        "insert into t select 1",
        "insert into t (a) with 1 as x select x",
        "insert into t (select 1)",
        "insert into t",
        "select 1",
    ],
)
def test_other_statements_have_no_rows(sql: str) -> None:
    assert split_rows(sql.encode()) is None


def test_text_literals_are_found_with_their_places() -> None:
    text = b"kill query where query_id in ('a', 'b') -- 'c'"
    assert [(text[start:end], literal) for start, end, literal in string_literals(text)] == [
        (b"'a'", "a"),
        (b"'b'", "b"),
    ]


@given(st.binary(max_size=200))
def test_rows_are_never_read_as_sql(rows: bytes) -> None:
    text = b"insert into t format Native\n" + rows
    found = split_rows(text)
    assert found is not None
    assert text[found.data_start :] == rows


@given(st.text(max_size=80))
def test_any_text_is_read(text: str) -> None:
    split_rows(text.encode())
