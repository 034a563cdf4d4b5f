"""Two users: one writes, one only reads, and neither leaves the database."""

from pathlib import Path

import clickhouse_connect
import httpx
import pytest
from clickhouse_connect.driver.exceptions import DatabaseError

from tests.integration.gateway.gateway_process import READER, WRITER, GatewayProcess


@pytest.mark.parametrize("auth", [WRITER, READER], ids=["writer", "reader"])
def test_credentials_come_in_three_ways(gateway: GatewayProcess, auth: tuple[str, str]) -> None:
    user, password = auth
    by_header = {"X-ClickHouse-User": user, "X-ClickHouse-Key": password}
    assert httpx.post(gateway.url, content="select 1", auth=auth).text == "1\n"
    assert httpx.post(gateway.url, content="select 1", headers=by_header).text == "1\n"
    by_params = {"user": user, "password": password}
    assert httpx.post(gateway.url, content="select 1", params=by_params).text == "1\n"


@pytest.mark.parametrize(
    "auth",
    [None, (WRITER[0], "wrong"), ("nobody", WRITER[1]), (READER[0], WRITER[1]), (WRITER[0], ""), ("", "")],
    ids=["none", "wrong password", "unknown user", "the other's password", "no password", "empty"],
)
def test_wrong_credentials_are_refused(gateway: GatewayProcess, auth: tuple[str, str] | None) -> None:
    answer = httpx.post(gateway.url, content="select 1", auth=auth)
    assert (answer.status_code, answer.headers["X-ClickHouse-Exception-Code"]) == (403, "516")
    assert "secret" not in answer.text


WRITES = [
    "insert into {table} values (1, 'a')",
    "insert into {table} select 1, 'a'",
    "with 1 as a insert into {table} (id) select a",
    "create table default.other (a UInt8) engine = MergeTree order by a",
    "create temporary table other (a UInt8)",
    "alter table {table} delete where 1",
    "truncate table {table}",
    "drop table {table}",
    "create database other",
    "optimize table {table}",
    "system drop mark cache",
    "kill query where 1",
    "set readonly = 0",
    "select 1 settings readonly = 0",
    "set role gateway_writer",
    "set default role all to default",
    "grant all on *.* to default",
    "create function f as x -> x",
]


@pytest.mark.parametrize("sql", WRITES)
@pytest.mark.parametrize("session", [{}, {"session_id": "reader"}], ids=["alone", "in a session"])
def test_the_reader_writes_nothing(
    gateway: GatewayProcess, table: str, sql: str, session: dict[str, str]
) -> None:
    answer = gateway.post(sql.format(table=table), session, auth=READER)
    assert answer.headers.get("X-ClickHouse-Exception-Code") in ("164", "497"), answer.text
    assert gateway.value(f"select count() from {table}") == "0"


FILES = [
    "select * from file('/etc/passwd', 'LineAsString')",
    "select file('/etc/passwd')",
    "select `file`('/etc/passwd')",
    "select File /* no */ ('/etc/passwd')",
    "select * from url('http://127.0.0.1:1/', 'TSV', 'a String')",
    "select * from s3('http://127.0.0.1:1/bucket/key', 'TSV', 'a String')",
    "select * from remote('127.0.0.1:1', 'system.one')",
    "select * from sqlite('/tmp/x.db', 't')",
    "select * from executable('cat', 'TSV', 'a String')",
    "select * from filesystem('/etc')",
    "select * from icebergLocal('/etc')",
    "select * from mysql('127.0.0.1:1', 'a', 'b', 'c', 'd')",
    "select * from `/etc/passwd`",
    "select 1 into outfile '{out}'",
    "select 1 /* */ into\noutfile '{out}' format CSV",
    "insert into function file('{out}', 'CSV', 'a UInt8') values (1)",
    "insert into {table} from infile '/etc/passwd' format LineAsString",
    "create table default.f (a String) engine = URL('http://127.0.0.1:1/', 'TSV')",
    "create database f engine = Filesystem('/etc')",
    "create table default.f engine = File(CSV, '/etc/passwd')",
    "create table default.f as url('http://127.0.0.1:1/', 'TSV', 'a String')",
    "create dictionary default.f (a UInt64) primary key a "
    "source(http(url 'http://127.0.0.1:1/' format 'TSV')) layout(flat()) lifetime(0)",
    "attach table default.f from '/etc' (a UInt8) engine = MergeTree order by a",
    "backup table {table} to File('{out}')",
]


@pytest.mark.parametrize("sql", FILES)
@pytest.mark.parametrize("auth", [WRITER, READER], ids=["writer", "reader"])
def test_nobody_reaches_files_or_other_servers(
    gateway: GatewayProcess, table: str, tmp_path: Path, sql: str, auth: tuple[str, str]
) -> None:
    out = tmp_path / "out.csv"
    answer = gateway.post(sql.format(table=table, out=out), {"http_max_tries": "1"}, auth=auth)
    assert answer.status_code >= 400, answer.text
    assert "root:" not in answer.text
    assert not out.exists()


def test_the_reader_is_told_where_a_statement_is_broken(gateway: GatewayProcess) -> None:
    answer = gateway.post("selekt 1", auth=READER)
    assert answer.headers["X-ClickHouse-Exception-Code"] == "62"
    assert "selekt" in answer.text


def test_get_only_reads(gateway: GatewayProcess, table: str) -> None:
    assert httpx.get(gateway.url, params={"query": "select 1"}, auth=WRITER).text == "1\n"
    answer = httpx.get(gateway.url, params={"query": f"drop table {table}"}, auth=WRITER)
    assert answer.headers["X-ClickHouse-Exception-Code"] == "164"
    assert "POST" in answer.text


def test_the_reader_works_with_clickhouse_connect(gateway: GatewayProcess, table: str) -> None:
    gateway.post(f"insert into {table} values (1, 'a')").raise_for_status()
    client = gateway.client(READER)
    assert client.query(f"select * from {table}", settings={"max_threads": 1}).result_rows == [(1, "a")]
    assert client.query_arrow(f"select * from {table}").num_rows == 1
    assert client.query(f"select count() from {table} settings max_threads = 1").result_rows == [(1,)]
    assert client.command("set max_threads = 2") is not None
    assert client.query_df("select {a:UInt8} as a", parameters={"a": 5})["a"].tolist() == [5]


def test_tables_sent_along_are_refused(gateway: GatewayProcess) -> None:
    data = clickhouse_connect.driver.external.ExternalData(
        data=b"1\n2\n", file_name="sent.tsv", fmt="TSV", structure="a UInt8"
    )
    with pytest.raises(DatabaseError, match="external tables are not supported"):
        gateway.client(READER).query("select sum(a) from sent", external_data=data)


def test_the_log_holds_codes_and_no_rows(gateway: GatewayProcess, table: str) -> None:
    gateway.post(f"insert into {table} (id) format TSV\npersonal-value-7341\n")
    assert "code 27" in gateway.log
    assert "personal-value-7341" not in gateway.log
