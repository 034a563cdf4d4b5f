"""What the gateway reads of a statement before the engine runs it."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stack.gateway.errors import Code, StatementError
from stack.gateway.statements import read_statement, string_literals

VERBS = [
    pytest.param("select 1", "SELECT", id="select"),
    pytest.param("  -- note\n /* and */ SELECT 1", "SELECT", id="comments before"),
    pytest.param("with 1 as a select a", "SELECT", id="with"),
    pytest.param("(select 1) union all (select 2)", "SELECT", id="bracket"),
    pytest.param("with insert as (select 1 as n) select n from insert", "SELECT", id="a name like a verb"),
    pytest.param("with 1 as x insert into t select x", "INSERT", id="insert behind with"),
    pytest.param("select 'insert into t values'", "SELECT", id="an insert in a text"),
    pytest.param("show tables", "SHOW", id="show"),
    pytest.param("set a = 1", "SET", id="set"),
    pytest.param("", "", id="nothing"),
]


@pytest.mark.parametrize(("sql", "verb"), VERBS)
def test_the_verb_is_the_first_keyword(sql: str, verb: str) -> None:
    assert read_statement(sql.encode()).verb == verb


FORMATS = [
    pytest.param("select 1 format JSON", "JSON", id="at the end"),
    pytest.param("select 1 FORMAT CSV;", "CSV", id="before a semicolon"),
    pytest.param("select 1 format CSV settings max_threads = 1", "CSV", id="before settings"),
    pytest.param("select 1 format CSV -- why", "CSV", id="before a comment"),
    pytest.param("select 1 as format", "", id="an alias"),
    pytest.param("select format from t", "", id="a column"),
    pytest.param("select * from format(CSV, 'x')", "", id="a function"),
    pytest.param("select ' format CSV'", "", id="in a text"),
    pytest.param("select $$ format CSV $$", "", id="in a heredoc"),
    pytest.param("select 1 -- format CSV", "", id="in a comment"),
    pytest.param("select 'it''s \\' format CSV' format TSV", "TSV", id="behind quotes in a text"),
    pytest.param("select `a format CSV` from t format TSV", "TSV", id="behind a quoted name"),
]


@pytest.mark.parametrize(("sql", "fmt"), FORMATS)
def test_the_format_is_the_statements_own_clause(sql: str, fmt: str) -> None:
    assert read_statement(sql.encode()).format == fmt


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
    statement = read_statement(text)
    assert (statement.format, statement.head, text[statement.data_start :]) == (fmt, head, rows)


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
    assert read_statement(sql.encode()).data_start is None


REFUSALS = [
    pytest.param("select 1 into outfile 'x'", Code.INTO_OUTFILE_NOT_ALLOWED, id="outfile"),
    pytest.param(
        "select 1 INTO/**/OUTFILE 'x'", Code.INTO_OUTFILE_NOT_ALLOWED, id="outfile around a comment"
    ),
    pytest.param("insert into t from infile 'x' format CSV", Code.UNKNOWN_TYPE_OF_QUERY, id="infile"),
    pytest.param("select file('/etc/passwd')", Code.ACCESS_DENIED, id="file"),
    pytest.param("select `file`('/etc/passwd')", Code.ACCESS_DENIED, id="quoted file"),
    pytest.param("select “file”('/etc/passwd')", Code.ACCESS_DENIED, id="file in typographic quotes"),
    pytest.param("set role all", Code.ACCESS_DENIED, id="role"),
    pytest.param("execute as x select 1", Code.ACCESS_DENIED, id="another user"),
    pytest.param("create table t (a Int8) engine = URL('http://x')", Code.ACCESS_DENIED, id="engine"),
    pytest.param("insert into t select * from input('a Int8') format CSV", Code.NOT_IMPLEMENTED, id="input"),
]


@pytest.mark.parametrize(("sql", "code"), REFUSALS)
def test_files_and_roles_are_refused(sql: str, code: Code) -> None:
    with pytest.raises(StatementError) as caught:
        read_statement(sql.encode())
    assert caught.value.code == code


@pytest.mark.parametrize(
    "sql",
    [
        "select 'into outfile'",
        "select file from t",
        "insert into file (a) values (1)",
        "select d.file(1)",
        "create table t (a Int8, engine String) engine = ReplacingMergeTree(a) order by a",
        "create materialized view v to t as select 1",
        "create database d engine = Atomic",
    ],
)
def test_what_only_looks_like_files_is_let_through(sql: str) -> None:
    read_statement(sql.encode())


def test_text_literals_are_found_with_their_places() -> None:
    text = b"kill query where query_id in ('a', 'b') -- 'c'"
    assert [(text[start:end], literal) for start, end, literal in string_literals(text)] == [
        (b"'a'", "a"),
        (b"'b'", "b"),
    ]


@given(st.binary(max_size=200))
def test_rows_are_never_read_as_sql(rows: bytes) -> None:
    text = b"insert into t format Native\n" + rows
    statement = read_statement(text)
    assert text[statement.data_start :] == rows


@given(st.text(max_size=80))
def test_any_text_is_read_or_refused(text: str) -> None:
    with contextlib.suppress(StatementError):
        read_statement(text.encode())
