"""What a canonical line says, and what the rules make of it. The lines are as the engine gives them."""

import pytest

from stack.gateway.accounts import Account
from stack.gateway.canonical import StatementReader, describe
from stack.gateway.errors import Code, StatementError
from stack.gateway.rules import Rules

TABLE_FUNCTIONS = frozenset(
    (
        *("file", "url", "numbers", "view", "values", "merge", "input", "format", "python"),
        *("generaterandom", "null"),
    )
)
RULES = Rules(TABLE_FUNCTIONS)

KINDS = {
    "select": ("SELECT 1", "SELECT", ""),
    "with": ("WITH 1 AS a SELECT a FORMAT JSON", "SELECT", "JSON"),
    "brackets": ("(SELECT 1) UNION ALL SELECT 2", "SELECT", ""),
    "insert behind with": ("INSERT INTO t WITH 1 AS a SELECT a", "INSERT", ""),
    "format before settings": ("SELECT 1 FORMAT CSV SETTINGS max_threads = 1", "SELECT", "CSV"),
    "format in brackets": ("SELECT * FROM (SELECT FORMAT AS a FROM t)", "SELECT", ""),
    "format in a text": ("SELECT ' FORMAT CSV'", "SELECT", ""),
    "explain": ("EXPLAIN SYNTAX SELECT 1", "EXPLAIN", ""),
}


@pytest.mark.parametrize(("line", "kind", "fmt"), KINDS.values(), ids=KINDS)
def test_a_line_tells_kind_and_format(line: str, kind: str, fmt: str) -> None:
    statement = describe(line)
    assert (statement.kind, statement.format) == (kind, fmt)


SETTINGS = {
    "clause": ("SELECT 1 SETTINGS a = 1, b = 'x, c = 2'", {"a", "b"}),
    "without a value": ("SELECT 1 SETTINGS a, b = 2", {"a", "b"}),
    "set": ("SET a = 1, param_b = 2", {"a", "param_b"}),
    "arrays": ("SELECT 1 SETTINGS a = [1, 2], b = (3, 4)", {"a", "b"}),
    "two clauses": ("SELECT * FROM (SELECT 1 SETTINGS a = 1) SETTINGS b = 2", {"a", "b"}),
    "with a dot": ("SET my.own = 1", {"my.own"}),
    "in a text": ("SELECT 'SETTINGS a = 1'", set()),
}


@pytest.mark.parametrize(("line", "names"), SETTINGS.values(), ids=SETTINGS)
def test_a_line_tells_the_settings_that_it_sets(line: str, names: set[str]) -> None:
    assert describe(line).settings == names


def test_a_line_tells_names_calls_and_parameters() -> None:
    statement = describe(
        r"SELECT x.file, `f\`q`, {a:Array(UInt8)} FROM d.numbers(3) WHERE lower('it\'s') = ''"
    )
    assert "file" not in statement.names
    assert {"x", "f`q", "lower", "numbers"} <= statement.names
    assert statement.calls == {"numbers", "lower"}
    assert statement.parameters == (("a", "Array(UInt8)"),)
    assert statement.texts == ("it's", "")


REFUSALS = [
    ("SELECT file('x')", Account.WRITER, Code.ACCESS_DENIED),
    ("SELECT * APPLY file FROM t", Account.WRITER, Code.ACCESS_DENIED),
    ("SELECT arrayMap(file, ['x'])", Account.WRITER, Code.ACCESS_DENIED),
    ("SELECT * FROM url('x')", Account.WRITER, Code.ACCESS_DENIED),
    ("SELECT * FROM python('x')", Account.WRITER, Code.ACCESS_DENIED),
    ("INSERT INTO FUNCTION url('x') SELECT 1", Account.WRITER, Code.ACCESS_DENIED),
    ("INSERT INTO t SELECT * FROM input('a Int8') FORMAT CSV", Account.WRITER, Code.NOT_IMPLEMENTED),
    ("SELECT * FROM `values`('a String alias file(\\'x\\')', 'x')", Account.WRITER, Code.ACCESS_DENIED),
    ("SELECT * FROM `values`('a String', 'x')", Account.READER, Code.ACCESS_DENIED),
    ("SELECT * FROM `values`({s:String}, 'x')", Account.WRITER, Code.ACCESS_DENIED),
    ("SELECT * FROM format(TSV, {s:String}, 'x')", Account.WRITER, Code.ACCESS_DENIED),
    ("SELECT * FROM format('TSV', concat('a', ' String'), 'x')", Account.WRITER, Code.ACCESS_DENIED),
    ("SELECT * FROM generateRandom({s:String})", Account.WRITER, Code.ACCESS_DENIED),
    ("SELECT * FROM `null`('a String')", Account.WRITER, Code.ACCESS_DENIED),
    ("SELECT structureToCapnProtoSchema({s:String}, 'M')", Account.READER, Code.ACCESS_DENIED),
    (
        "SELECT 1 SETTINGS schema_inference_hints = 'a Int8'",
        Account.WRITER,
        Code.SETTING_CONSTRAINT_VIOLATION,
    ),
    ("SELECT * FROM merge('a', 'b')", Account.READER, Code.ACCESS_DENIED),
    ("SELECT 1 INTO OUTFILE 'x'", Account.WRITER, Code.INTO_OUTFILE_NOT_ALLOWED),
    ("INSERT INTO t FROM INFILE 'x' FORMAT CSV", Account.WRITER, Code.UNKNOWN_TYPE_OF_QUERY),
    ("SET ROLE ALL", Account.WRITER, Code.ACCESS_DENIED),
    ("SET DEFAULT ROLE ALL TO default", Account.WRITER, Code.ACCESS_DENIED),
    ("EXECUTE AS x SELECT 1", Account.WRITER, Code.ACCESS_DENIED),
    ("CREATE TABLE t (`a` Int8) ENGINE = URL('http://x')", Account.WRITER, Code.ACCESS_DENIED),
    ("CREATE FUNCTION f AS x -> x", Account.WRITER, Code.ACCESS_DENIED),
    ("CREATE USER x", Account.WRITER, Code.ACCESS_DENIED),
    (
        "CREATE DICTIONARY d (`a` Int8) PRIMARY KEY a SOURCE(CLICKHOUSE(QUERY 'SELECT 1 AS a'))",
        Account.WRITER,
        Code.ACCESS_DENIED,
    ),
    ("ATTACH TABLE t FROM '/x' (`a` Int8) ENGINE = Memory", Account.WRITER, Code.ACCESS_DENIED),
    ("SYSTEM SHUTDOWN", Account.WRITER, Code.ACCESS_DENIED),
    ("SELECT 1 PARALLEL WITH SELECT 2", Account.WRITER, Code.SYNTAX_ERROR),
    ("SELECT 1 SETTINGS dialect = 'prql'", Account.WRITER, Code.SETTING_CONSTRAINT_VIOLATION),
    ("SELECT 1 SETTINGS mutations_sync = 2", Account.READER, Code.READONLY),
    ("INSERT INTO t SELECT 1", Account.READER, Code.READONLY),
    ("SELECT * FROM system.processes", Account.DASHBOARDS, Code.ACCESS_DENIED),
    ("USE system", Account.READER, Code.ACCESS_DENIED),
    ("SHOW PROCESSLIST", Account.READER, Code.ACCESS_DENIED),
    ("SELECT hostName()", Account.READER, Code.ACCESS_DENIED),
]


@pytest.mark.parametrize(("line", "account", "code"), REFUSALS, ids=[line for line, *_ in REFUSALS])
def test_what_an_account_may_not_say_is_refused(line: str, account: Account, code: Code) -> None:
    with pytest.raises(StatementError) as caught:
        RULES.refuse_statement(account, describe(line))
    assert caught.value.code == code


@pytest.mark.parametrize(
    ("line", "account"),
    [
        ("SELECT 'INTO OUTFILE', 'file(x)', x.file FROM t", Account.READER),
        ("SELECT url, format('{}', url) FROM numbers(3)", Account.READER),
        ("SELECT * FROM system.tables SETTINGS max_threads = 1", Account.DASHBOARDS),
        ("SELECT * FROM `values`((1, 2), (3, 4))", Account.READER),
        ("SELECT * FROM view(SELECT 1)", Account.READER),
        ("SELECT format('{} of {}', a, b), * FROM t", Account.WRITER),
        ("INSERT INTO url (a) FORMAT Values", Account.WRITER),
        ("INSERT INTO d.url (a) FORMAT Values", Account.WRITER),
        (
            "CREATE TABLE IF NOT EXISTS url (`a` Int8) ENGINE = ReplacingMergeTree(a) ORDER BY a",
            Account.WRITER,
        ),
        ("CREATE OR REPLACE VIEW v (`a` Int8) AS SELECT 1", Account.WRITER),
        ("CREATE MATERIALIZED VIEW v TO t AS SELECT 1", Account.WRITER),
        ("CREATE TEMPORARY TABLE t (`a` Int8) ENGINE = Memory", Account.WRITER),
        ("ALTER TABLE t (DELETE WHERE 1) SETTINGS mutations_sync = 2", Account.WRITER),
        ("SELECT query FROM system.processes", Account.WRITER),
        ("KILL QUERY WHERE query_id = 'a' SYNC", Account.WRITER),
    ],
)
def test_what_only_looks_like_it_is_let_through(line: str, account: Account) -> None:
    RULES.refuse_statement(account, describe(line))


def test_a_text_that_comes_again_is_not_parsed_again() -> None:
    parsed: list[bytes] = []

    def canonical(text: bytes) -> str:
        parsed.append(text)
        return text.decode()

    reader = StatementReader(canonical)
    assert reader.read(b"SELECT 1") is reader.read(b"SELECT 1") is reader.known(b"SELECT 1")
    assert parsed == [b"SELECT 1"]
