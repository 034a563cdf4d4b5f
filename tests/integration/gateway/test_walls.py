"""Attacks on the wall between an account and everything else. What is refused says why and gives nothing."""

import threading
from collections.abc import Mapping
from pathlib import Path

import pytest

from stack.gateway.confinement import missing_walls
from tests.integration.gateway.gateway_process import DASHBOARDS, READER, WRITER, GatewayProcess
from tests.waiting import wait_until

MARK = "wall-mark-5561"
REFUSED = {"36", "46", "48", "60", "62", "78", "115", "164", "344", "358", "452", "497", "511", "514"}
READERS = pytest.mark.parametrize("auth", [READER, DASHBOARDS], ids=["reader", "dashboards"])
EVERYBODY = pytest.mark.parametrize(
    "auth", [READER, DASHBOARDS, WRITER], ids=["reader", "dashboards", "writer"]
)
WAYS = pytest.mark.parametrize("session", [{}, {"session_id": "walls"}], ids=["alone", "in a session"])


@pytest.fixture(scope="module")
def secret(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file that nobody may read through the database."""
    path = tmp_path_factory.mktemp("outside") / "secret.txt"
    path.write_text(MARK + "\n")
    return path


# Everybody's: files, processes and addresses, by every spelling of a name.
REACHES = {
    "apply": "select * apply(file) from (select '{path}' as p)",
    "apply without brackets": "select * apply file from (select '{path}' as p)",
    "apply a lambda": "select * apply(x -> file(x)) from (select '{path}' as p)",
    "columns": "select columns('p') apply(file) from (select '{path}' as p)",
    "replace": "select * replace(file('{path}') as p) from (select '' as p)",
    "escaped name": "select `f\\x69le`('{path}')",
    "double quotes": "select \"file\"('{path}')",
    "typographic quotes": "select \u201cfile\u201d('{path}')",
    "any case": "select FiLe('{path}')",
    "U+3000": "select file\u3000('{path}')",
    "U+0085": "select file\u0085('{path}')",
    "U+00A0": "select file\u00a0('{path}')",
    "U+2028": "select file\u2028('{path}')",
    "U+2060": "select file\u2060('{path}')",
    "vertical tab": "select file\x0b('{path}')",
    "comment between": "select file/* ( */('{path}')",
    "behind a comment": "select -- '\n file('{path}')",
    "behind a heredoc": "select $a$'$a$, file('{path}')",
    "lambda": "select arrayMap(file, ['{path}'])",
    "lambda in a filter": "select arrayFilter(x -> file(x) != '', ['{path}'])",
    "fold": "select arrayFold((a, x) -> file(x), ['{path}'], '')",
    "map": "select mapApply((k, v) -> (k, file(v)), map('a', '{path}'))",
    "scalar subquery": "select (select file('{path}'))",
    "with": "with file('{path}') as f select f",
    "expression in limit": "select 1 limit length(file('{path}'))",
    "in order": "select 1 order by file('{path}')",
    "in having": "select 1 as a group by a having file('{path}') != ''",
    "in an array join": "select a from (select 1) array join [file('{path}')] as a",
    "in a window": "select count() over (partition by file('{path}'))",
    "name of a name": "with file as f select f('{path}')",
    "lambda with a name": "with (x) -> file(x) as f select f('{path}')",
    "recursive": "with recursive t as (select file('{path}') as a) select * from t",
    "in a fill": "select 1 as a order by a with fill to length(file('{path}'))",
    "in an interpolation": "select 1 as a, '' as b order by a with fill interpolate (b as file('{path}'))",
    "in grouping sets": "select 1 group by grouping sets ((file('{path}')), ())",
    "in a join": "select 1 from numbers(1) as a join numbers(1) as b on file('{path}') != ''",
    "cast": "select file('{path}')::String",
    "query tree": "explain query tree run_passes = 1 select file('{path}')",
    "insert into a function": "insert into function file('{path}.out', 'TSV', 'a String') select 'x'",
    "name of an address": "select reverseDNSQuery('127.0.0.1')",
    "filter of an aggregate": "select count() filter (where file('{path}') != '')",
    "structure of values": "select b from values('a String, b String alias file(\\'{path}\\')', 'x')",
    "default in a structure": "select * from values('a String default file(\\'{path}\\')', 'x')",
    "structure of random": "select b from generateRandom('b String alias file(\\'{path}\\')') limit 1",
    "structure of format": "select b from format(TSV, 'a String, b String alias file(\\'{path}\\')', 'x')",
    "structure of null": "select b from null('a String, b String alias file(\\'{path}\\')')",
    "structure put together": "select b from format(TSV, "
    "concat('a String, b String alias fi', 'le(\\'{path}\\')'), 'x')",
    "structure of a random table put together": "select b from generateRandom("
    "concat('b String alias fi', 'le(\\'{path}\\')')) limit 1",
    "structure for a schema": "select structureToCapnProtoSchema('a String default file(\\'{path}\\')', 'M')",
    "structure for another schema": "select structureToProtobufSchema("
    "concat('a String alias fi', 'le(\\'{path}\\')'), 'M')",
    "query of a dictionary": "create dictionary default.walls (a UInt64, b String) primary key a source("
    "clickhouse(query 'select 1 as a, file(\\'{path}\\') as b')) layout(flat()) lifetime(0)",
    "dictionaries": "system reload dictionaries",
    "hints of a structure": "select 1 settings schema_inference_hints = "
    "'a String default file(\\'{path}\\')'",
    "structure of input": "select b from input('a String, b String alias file(\\'{path}\\')')",
    "explain": "explain syntax select file('{path}')",
    "explain ast": "explain ast select file('{path}')",
    "explain estimate": "explain estimate select * from file('{path}', 'LineAsString')",
    "describe": "describe table file('{path}')",
    "describe a query": "describe (select file('{path}'))",
    "table function": "select * from file('{path}', 'LineAsString')",
    "by a cluster": "select * from fileCluster('default', '{path}', 'LineAsString')",
    "path as a table": "select * from `{path}`",
    "filesystem": "select * from filesystem('{path}')",
    "url": "select * from url('file://{path}', 'LineAsString', 'line String')",
    "s3": "select * from s3('http://127.0.0.1:1/a/b', 'TSV', 'a String')",
    "gcs": "select * from gcs('http://127.0.0.1:1/a/b', 'TSV', 'a String')",
    "azure": "select * from azureBlobStorage('http://127.0.0.1:1/', 'a', 'b')",
    "hdfs": "select * from hdfs('hdfs://127.0.0.1:1/a', 'TSV', 'a String')",
    "remote": "select * from remote('127.0.0.1:1', system.one)",
    "cluster": "select * from clusterAllReplicas('default', system.one)",
    "mysql": "select * from mysql('127.0.0.1:1', 'a', 'b', 'c', 'd')",
    "postgresql": "select * from postgresql('127.0.0.1:1', 'a', 'b', 'c', 'd')",
    "mongodb": "select * from mongodb('127.0.0.1:1', 'a', 'b', 'c', 'd', 'a String')",
    "redis": "select * from redis('127.0.0.1:1', 'a', 'a String')",
    "sqlite": "select * from sqlite('{path}', 't')",
    "odbc": "select * from odbc('DSN=a', 'b', 'c')",
    "executable": "select * from executable('cat', 'TSV', 'a String')",
    "python": "select * from python('os')",
    "eval": "select * from eval('select 1') settings allow_experimental_eval_table_function = 1",
    "iceberg": "select * from icebergLocal('{path}')",
    "delta lake": "select * from deltaLakeLocal('{path}')",
    "paimon": "select * from paimonLocal('{path}')",
    "a column elsewhere": "select hasColumnInTable('127.0.0.1:1', 'a', 'b', 'system', 'one', 'dummy')",
    "model": "select catboostEvaluate('{path}', 1)",
    "language model": "select aiGenerate('x', map('url', 'http://127.0.0.1:1'))",
    "addresses of the program": "select addressToLine(1)",
    "certificate": "select showCertificate()",
    "result filter": "select 1 settings additional_result_filter = 'file(\\'{path}\\') != \\'\\''",
    "table filter": "select 1 from system.one "
    "settings additional_table_filters = map('system.one', 'file(\\'{path}\\') != \\'\\'')",
    "another language": "select 1 settings dialect = 'kusto'",
    "set another language": "set dialect = 'prql'",
    "set a filter": "set additional_result_filter = 'file(\\'{path}\\') != \\'\\''",
    "schema in a file": "select 1 format Protobuf settings format_schema = '{path}:A'",
    "schema into a file": "select 1 settings output_format_schema = '{path}.out'",
    "outfile": "select 1 into\u2028outfile '{path}.out'",
    "outfile after an unfinished tail": "select 1; select 'x' into\u00a0outfile '{path}.out'; (((",
    "two statements": "select 1; select file('{path}')",
    "unfinished tail": "select file('{path}'); (((",
    "parallel": "select 1 parallel with select 2",
    "owner's role": "set\u00a0role gateway_owner",
    "writer's role": "set /* */ role gateway_writer",
    "any role": "set role all",
    "default role": "set default role all to default",
    "profile": "set profile = 'default'",
    "profile in a query": "select 1 settings profile = 'default'",
    "impersonation": "execute as default select 1",
    "named collection": "create named collection walls as url = 'http://127.0.0.1:1'",
    "function": "create function walls as x -> file(x)",
    "user": "create user walls",
    "grant": "grant all on *.* to default",
    "backup": "backup database default to File('{path}.out')",
    "restore": "restore database other from File('{path}.out')",
    "shutdown": "system shutdown",
    "listener": "system stop listen http",
    "parameter in a query": "select 1 settings param_a = 'file'",
}


@EVERYBODY
@WAYS
@pytest.mark.parametrize("attack", REACHES)
def test_nobody_reaches_beyond_the_database(
    gateway: GatewayProcess, secret: Path, attack: str, auth: tuple[str, str], session: dict[str, str]
) -> None:
    sql = REACHES[attack].replace("{path}", str(secret))
    answer = gateway.post(sql.encode(), session, auth=auth)
    assert answer.headers.get("X-ClickHouse-Exception-Code") in REFUSED, answer.text
    assert MARK not in answer.text
    assert not secret.with_name(secret.name + ".out").exists()


# Readers': everything that changes something, or that tells of the machine and of others.
TELLS = {
    "running statements": "select query from system.processes",
    "quoted names": "select query from `system` . `processes`",
    "in a condition": "select 1 where (select count() from system.processes) > 0",
    "as a set": "select 1 where 'a' in system.processes",
    "show processlist": "show processlist",
    "merge of system": "select * from merge('system', 'proc.*')",
    "merge by pattern": "select * from merge(REGEXP('sys.*'), 'processes')",
    "loop": "select * from loop(system, processes)",
    "use system": "use system",
    "user query log": "select * from system.user_query_log",
    "text log": "select * from system.text_log",
    "errors": "select last_error_message from system.errors",
    "disks": "select path from system.disks",
    "settings of the server": "select * from system.server_settings",
    "stack traces": "select * from system.stack_trace",
    "users": "select * from system.users",
    "grants": "select * from system.grants",
    "kernel": "select getOSKernelVersion()",
    "macro": "select getMacro('shard')",
    "server setting": "select getServerSetting('max_connections')",
    "host": "select hostName()",
    "name of the machine": "select fqdn()",
    "exists": "exists table system.processes",
    "describe": "describe table system.processes",
    "check": "check table system.one",
    "kill": "kill query where 1",
    "external table": "select * from mergeTreeIndex(default, t)",
    "view that explains": "select * from viewExplain('EXPLAIN', '', (select 1))",
    "a setting beyond the list": "select 1 settings allow_introspection_functions = 1",
    "more time": "select 1 settings max_execution_time = 0",
    "far more time": "set max_execution_time = 100000",
    "more memory": "select 1 settings max_memory_usage = 0",
    "more rows": "select 1 settings max_result_rows = 0",
    "writing again": "select 1 settings readonly = 0",
    "set writing again": "set readonly = 0",
    "temporary table": "create temporary table mine (a UInt8)",
    "drop": "drop table if exists default.walls",
    "attach": "attach table default.walls",
    "system": "system flush logs",
    "optimize": "optimize table default.walls",
    "undrop": "undrop table default.walls",
    "check grant": "check grant select on *.*",
    "transaction": "begin transaction",
}


@READERS
@WAYS
@pytest.mark.parametrize("attack", TELLS)
def test_who_reads_changes_nothing_and_learns_nothing_of_others(
    gateway: GatewayProcess, attack: str, auth: tuple[str, str], session: dict[str, str]
) -> None:
    answer = gateway.post(TELLS[attack].encode(), session, auth=auth)
    assert answer.headers.get("X-ClickHouse-Exception-Code") in REFUSED, answer.text


STRUCTURE = {"param_s": "a String, b String alias file('{path}')"}


@EVERYBODY
@pytest.mark.parametrize(
    ("sql", "params"),
    [
        ("select 1", {"additional_result_filter": "file('{path}') != ''"}),
        ("select 1", {"additional_table_filters": "{'system.one': 'file(\\'{path}\\') != \\'\\''}"}),
        ("select 1", {"dialect": "prql"}),
        ("select 1", {"profile": "default"}),
        ("select 1", {"format_schema": "{path}:A"}),
        ("select 1", {"role": "gateway_writer"}),
        ("select * from {f:Identifier}", {"param_f": "file"}),
        ("select b from values({s:String}, 'x')", STRUCTURE),
        ("select b from format(TSV, {s:String}, 'x')", STRUCTURE),
        ("select structureToCapnProtoSchema({s:String}, 'M')", STRUCTURE),
        ("select 1", {"default_format": "TSV\r\nX: y"}),
        ("select 1", {"query_id": "a\r\nX: y"}),
        ("select 1", {"query_id": "a" * 300}),
    ],
    ids=[
        "result filter", "table filter", "language", "profile", "schema", "role", "identifier",
        "structure", "structure of a format", "structure for a schema",
        "line break in a format", "line break in an id", "long id",
    ],
)  # fmt: skip
def test_parameters_of_a_request_are_no_way_around(
    gateway: GatewayProcess, secret: Path, sql: str, params: dict[str, str], auth: tuple[str, str]
) -> None:
    given = {name: value.replace("{path}", str(secret)) for name, value in params.items()}
    answer = gateway.post(sql, given, auth=auth)
    assert answer.headers.get("X-ClickHouse-Exception-Code") in REFUSED | {"512"}, answer.text
    assert "x" not in answer.headers


@READERS
@pytest.mark.parametrize(
    ("sql", "params"),
    [
        ("select * from processes", {"database": "system"}),
        ("select * from {d:Identifier}.{t:Identifier}", {"param_d": "system", "param_t": "processes"}),
        ("select * from {t:Identifier}", {"param_t": "system.processes"}),
        ("select 1", {"max_execution_time": "0"}),
        ("select 1", {"readonly_": "0"}),
    ],
    ids=["database", "two identifiers", "one identifier", "time", "unknown setting"],
)
def test_parameters_of_readers_are_no_way_around(
    gateway: GatewayProcess, sql: str, params: dict[str, str], auth: tuple[str, str]
) -> None:
    answer = gateway.post(sql, params, auth=auth)
    assert answer.headers.get("X-ClickHouse-Exception-Code") in REFUSED, answer.text


@READERS
def test_each_table_function_of_the_engine_is_on_the_list_or_refused(
    gateway: GatewayProcess, auth: tuple[str, str]
) -> None:
    """The engine's next version may bring new ones: these are refused until somebody has looked at them."""
    names = gateway.value("select name from system.table_functions order by name").splitlines()
    assert len(names) > 80
    let_in = {
        name
        for name in names
        if gateway.post(f"select * from {name}('x', 'y')", auth=auth).headers["X-ClickHouse-Exception-Code"]
        not in ("48", "62", "497")
    }
    assert let_in <= {
        *(
            "numbers",
            "numbers_mt",
            "zeros",
            "zeros_mt",
            "generateSeries",
            "generate_series",
            "primes",
            "view",
        ),
    }


def test_each_function_that_asks_a_language_model_is_refused(gateway: GatewayProcess) -> None:
    names = gateway.value("select name from system.functions where categories like '%AI%'").splitlines()
    assert len(names) >= 8
    for name in names:
        answer = gateway.post(f"select {name}('x', map('a', 'b'))")
        assert answer.headers["X-ClickHouse-Exception-Code"] == "497", name


@EVERYBODY
@pytest.mark.parametrize(
    "field",
    [
        'name="t"; filename="t.tsv"',
        'name="t_structure"',
        'name="t_types"',
    ],
    ids=["file", "structure", "types"],
)
def test_forms_carry_no_tables(gateway: GatewayProcess, field: str, auth: tuple[str, str]) -> None:
    body = f"--b\r\nContent-Disposition: form-data; {field}\r\n\r\n1\r\n--b--\r\n"
    params = {
        "query": "select * from t",
        "t_structure": "x String) ENGINE=Memory; CREATE TABLE default.walls (a Int8) ENGINE=Memory --",
    }
    kind = {"Content-Type": "multipart/form-data; boundary=b"}
    answer = gateway.post(body, params, auth=auth, headers=kind)
    assert answer.headers["X-ClickHouse-Exception-Code"] in ("48", "115", "164")
    assert gateway.value("exists table default.walls") == "0"


def test_a_form_carries_a_statement_and_its_parameters(gateway: GatewayProcess) -> None:
    fields = {"query": "select {a:UInt8} + 1", "param_a": "4"}
    body = "".join(
        f'--b\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in fields.items()
    )
    for kind in ("multipart/form-data; boundary=b", "Multipart/Form-Data; Boundary=b"):
        answer = gateway.post(body + "--b--\r\n", auth=READER, headers={"Content-Type": kind})
        assert answer.text == "5\n"


SLOW = "select sum(sleepEachRow(0.1)) from numbers(300) settings max_block_size = 1"


def _runs_as(gateway: GatewayProcess, name: str) -> bool:
    sql = f"select count() from system.processes where endsWith(Settings['log_comment'], '{name}')"
    return gateway.value(sql) == "1"


@pytest.mark.parametrize(
    ("owner", "other"), [(WRITER, READER), (READER, DASHBOARDS), (READER, WRITER)], ids=str
)
def test_query_ids_belong_to_their_user(
    gateway: GatewayProcess, owner: tuple[str, str], other: tuple[str, str]
) -> None:
    params = {"query_id": f"owned-{owner[0]}-{other[0]}"}
    answers: list[str] = []
    running = threading.Thread(target=lambda: answers.append(gateway.post(SLOW, params, auth=owner).text))
    running.start()
    wait_until(lambda: _runs_as(gateway, params["query_id"]))
    replacing: Mapping[str, str] = {**params, "replace_running_query": "1"}
    assert gateway.post("select 1", replacing, auth=other).text == "1\n"
    assert _runs_as(gateway, params["query_id"])
    assert gateway.post("select 2", replacing, auth=owner).text == "2\n"
    running.join()
    assert "394" in answers[0]


def test_sessions_of_one_user_cannot_drive_out_anothers(own_gateway: GatewayProcess) -> None:
    gateway = own_gateway
    gateway.post("set max_threads = 3", {"session_id": "kept"}, auth=DASHBOARDS).raise_for_status()
    codes = {
        gateway.post(
            "select 1", {"session_id": f"many-{number}", "session_timeout": "600"}, auth=READER
        ).headers.get("X-ClickHouse-Exception-Code")
        for number in range(70)
    }
    assert codes == {None, "700"}
    kept = {"session_id": "kept", "session_check": "1"}
    assert gateway.post("select getSetting('max_threads')", kept, auth=DASHBOARDS).text == "3\n"


def test_the_databases_process_holds_no_password_and_no_setting(gateway: GatewayProcess) -> None:
    environment = Path(f"/proc/{gateway.process.pid}/environ").read_bytes()
    assert b"PASSWORD" not in environment
    assert b"secret" not in environment


@pytest.mark.skipif(missing_walls() is not None, reason=str(missing_walls()))
def test_the_kernel_stops_what_the_rules_let_through(
    gateway: GatewayProcess, secret: Path, table: str
) -> None:
    """Rows are not statements: an expression among them is not judged, and runs against the wall."""
    answer = gateway.post(f"insert into {table} values (1, file('{secret}'))")
    assert answer.status_code >= 400
    assert gateway.value(f"select count() from {table} where s like '%{MARK}%'") == "0"
    assert "confined" in gateway.log


def test_a_reader_sees_sessions_of_its_own_only(gateway: GatewayProcess) -> None:
    gateway.post("create temporary table mine (a UInt8)", {"session_id": "same"}).raise_for_status()
    answer = gateway.post("select * from mine", {"session_id": "same"}, auth=READER)
    assert answer.headers["X-ClickHouse-Exception-Code"] == "60"


@pytest.mark.parametrize(
    ("sql", "code"),
    [
        (
            "select sum(sleepEachRow(0.1)) from numbers(50) "
            "settings max_block_size = 1, max_execution_time = 1",
            "159",
        ),
        ("select groupArray(number) from numbers(1e10)", "241"),
        ("select number from numbers(20000000) format Null settings max_result_rows = 1000", "396"),
        ("select " + "1, " * 100_000 + "1", "229"),
        ("select " + "(" * 2_000 + "1" + ")" * 2_000, "306"),
    ],
    ids=["time", "memory", "rows", "length", "depth"],
)
def test_a_readers_statement_has_limits(gateway: GatewayProcess, sql: str, code: str) -> None:
    assert gateway.post(sql, auth=READER).headers.get("X-ClickHouse-Exception-Code") == code


@pytest.mark.parametrize(
    "sql",
    [
        "select url, file_name from (select '/a' as url, 'b' as file_name) settings max_threads = 1",
        "select x.file from (select cast(tuple('a'), 'Tuple(file String)') as x)",
        "select count() from numbers(10) where number in (select number from numbers(3)) format JSON",
        "with a as (select 1 as x) select * from a union all select 2",
        "select format('{}', 'file(x)'), 'into outfile', $$file('x')$$",
        "select * from values((1, 'a'), (2, 'b'))",
        "select name from system.tables limit 1",
        "show tables",
        "describe (select 1)",
        "explain select 1",
        "exists table default.nothing",
        "select 1 as settings, 2 as format;",
        "-- a comment\nselect 1",
    ],
)
def test_readers_ask_what_they_like_of_the_data(gateway: GatewayProcess, sql: str) -> None:
    answer = gateway.post(sql, auth=READER)
    assert answer.status_code == 200, answer.text
