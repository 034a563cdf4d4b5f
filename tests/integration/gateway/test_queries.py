"""Queries are answered as a ClickHouse server answers them."""

import gzip
import json
import threading
import time
import zlib
from collections.abc import Callable

import httpx
import lz4.frame  # type: ignore[import-untyped]
import pyarrow as pa
import pytest
import zstandard
from clickhouse_connect.driver.exceptions import DatabaseError, StreamFailureError

from tests.integration.gateway.gateway_process import READER, WRITER, GatewayProcess
from tests.waiting import wait_until

DECOMPRESSORS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.decompress,
    "deflate": zlib.decompress,
    "lz4": lz4.frame.decompress,
    "zstd": lambda data: zstandard.ZstdDecompressor().decompressobj().decompress(data),
}
BUSY = "select sum(sleepEachRow(0.1)) from numbers(100) settings max_block_size = 1"


@pytest.mark.parametrize("path", ["ping", "replicas_status", "health/ready", ""])
def test_health_needs_no_password(gateway: GatewayProcess, path: str) -> None:
    answer = httpx.get(gateway.url + path)
    assert (answer.status_code, answer.text) == (200, "Ok.\n")
    assert httpx.head(gateway.url + path).status_code == 200


@pytest.mark.parametrize("rows", [0, 1, 65_410, 300_000])
def test_an_arrow_stream_is_one_stream_whatever_its_length(gateway: GatewayProcess, rows: int) -> None:
    query = f"select number, toString(number) as text, toLowCardinality(text) as word from numbers({rows})"
    answer = gateway.post(f"{query} format ArrowStream")

    table = pa.ipc.open_stream(answer.content).read_all()

    assert table.column_names == ["number", "text", "word"]
    assert table["number"].to_pylist() == list(range(rows))


def test_an_answer_tells_its_format_and_what_was_read(gateway: GatewayProcess) -> None:
    answer = gateway.post(
        "select number from numbers(10) format JSON", {"query_id": "abc", "wait_end_of_query": "1"}
    )
    assert answer.json()["rows"] == 10
    assert answer.headers["X-ClickHouse-Query-Id"] == "abc"
    assert answer.headers["X-ClickHouse-Format"] == "JSON"
    assert answer.headers["X-ClickHouse-Timezone"] == "Etc/UTC"
    assert answer.headers["Content-Type"].startswith("application/json")
    assert json.loads(answer.headers["X-ClickHouse-Summary"])["result_rows"] == "10"


@pytest.mark.parametrize(
    ("params", "headers"),
    [({"default_format": "JSONEachRow"}, {}), ({}, {"X-ClickHouse-Format": "JSONEachRow"})],
    ids=["parameter", "header"],
)
def test_the_default_format_is_the_clients(
    gateway: GatewayProcess, params: dict[str, str], headers: dict[str, str]
) -> None:
    assert gateway.post("select 1 as a", params, headers=headers).text == '{"a":1}\n'
    assert gateway.post("select 1 as a format CSV", params, headers=headers).text == "1\n"


def test_a_statement_may_be_split_between_address_and_body(gateway: GatewayProcess) -> None:
    assert gateway.post("from numbers(3)", {"query": "select count()"}).text == "3\n"


@pytest.mark.parametrize("encoding", DECOMPRESSORS)
@pytest.mark.parametrize("waits", ["0", "1"])
def test_an_answer_is_compressed_as_asked(gateway: GatewayProcess, encoding: str, waits: str) -> None:
    with httpx.stream(
        "POST",
        gateway.url,
        params={"wait_end_of_query": waits},
        content="select number from numbers(300000)",
        auth=WRITER,
        headers={"Accept-Encoding": encoding},
    ) as answer:
        raw = b"".join(answer.iter_raw())
    assert answer.headers["Content-Encoding"] == encoding
    assert DECOMPRESSORS[encoding](raw).count(b"\n") == 300_000


@pytest.mark.parametrize(
    "fmt", ["TSV", "CSV", "JSONEachRow", "TSVWithNames", "CSVWithNames", "JSON", "JSONCompact"]
)
def test_a_long_result_is_one_document(gateway: GatewayProcess, fmt: str) -> None:
    text = gateway.post("select number as n from numbers(200000)", {"default_format": fmt}).text
    if fmt.startswith("JSON") and fmt != "JSONEachRow":
        assert len(json.loads(text)["data"]) == 200_000
    else:
        assert len(text.splitlines()) == 200_000 + fmt.endswith("WithNames")


@pytest.mark.parametrize("fmt", ["CSVWithNames", "TSVWithNames"])
def test_an_empty_result_has_its_header(gateway: GatewayProcess, fmt: str) -> None:
    assert gateway.post(f"select 1 as n where 0 format {fmt}").text.strip('"\n') == "n"


def test_a_result_is_sent_while_it_is_made(gateway: GatewayProcess) -> None:
    begun = time.monotonic()
    sql = "select number, sleepEachRow(0.05) from numbers(40) settings max_block_size = 1"
    with httpx.stream("POST", gateway.url, content=sql, auth=WRITER, timeout=30) as answer:
        pieces = answer.iter_raw()
        next(pieces)
        first_after = time.monotonic() - begun
        for _ in pieces:
            pass
    assert first_after < (time.monotonic() - begun) / 2


PARAMETERS = [
    pytest.param("String", "a\\tb'c", "a\\tb\\'c", id="text is escaped"),
    pytest.param("UInt64", "18446744073709551615", "18446744073709551615", id="number"),
    pytest.param("Array(String)", "['x','y']", "['x','y']", id="array"),
    pytest.param("Nullable(String)", "\\N", "\\N", id="null"),
    pytest.param("DateTime64(3)", "2025-01-01 10:00:00.123", "2025-01-01 10:00:00.123", id="time"),
]


@pytest.mark.parametrize(("kind", "sent", "given"), PARAMETERS)
def test_parameters_are_bound(gateway: GatewayProcess, kind: str, sent: str, given: str) -> None:
    assert gateway.post(f"select {{p:{kind}}}", {"param_p": sent}).text == given + "\n"


def test_settings_hold_for_one_statement(gateway: GatewayProcess) -> None:
    assert gateway.post("select getSetting('max_threads')", {"max_threads": "3"}).text == "3\n"
    assert gateway.post("select getSetting('max_threads')").text != "3\n"


ERRORS = [
    pytest.param("select * from nowhere", 404, 60, id="unknown table"),
    pytest.param("selekt 1", 400, 62, id="syntax"),
    pytest.param(b"select 1 as a\xa0", 400, 62, id="not UTF-8"),
    pytest.param("select 1; select 2", 400, 62, id="two statements"),
    pytest.param("select nothing", 404, 47, id="unknown column"),
    pytest.param("select 1 settings no_such_setting = 1", 404, 115, id="unknown setting"),
    pytest.param("select throwIf(1)", 500, 395, id="while it runs"),
    pytest.param(
        "select sum(sleepEachRow(.1)) from numbers(50) settings max_block_size=1, max_execution_time = 0.5",
        408,
        159,
        id="time",
    ),
    pytest.param(
        "select groupArray(number) from numbers(1e9) settings max_memory_usage = 1e7", 500, 241, id="memory"
    ),
    pytest.param("select 1 format Nonsense", 404, 73, id="unknown format"),
]


@pytest.mark.parametrize(("sql", "status", "code"), ERRORS)
def test_an_error_has_clickhouses_code_and_status(
    gateway: GatewayProcess, sql: str | bytes, status: int, code: int
) -> None:
    answer = gateway.post(sql)
    assert (answer.status_code, answer.headers["X-ClickHouse-Exception-Code"]) == (status, str(code))
    assert answer.text.startswith(f"Code: {code}. DB::Exception: ")


def test_an_unknown_setting_or_database_is_said(gateway: GatewayProcess) -> None:
    assert gateway.post("select 1", {"no_such_setting": "1"}).headers["X-ClickHouse-Exception-Code"] == "115"
    assert gateway.post("select 1", {"database": "nowhere"}).headers["X-ClickHouse-Exception-Code"] == "81"


def test_an_error_in_the_midst_of_an_answer_is_seen(gateway: GatewayProcess) -> None:
    sql = "select throwIf(number = 500000) from numbers(1000000)"
    with pytest.raises(httpx.RemoteProtocolError):
        gateway.post(sql)
    with (
        pytest.raises(StreamFailureError, match="throwIf"),
        gateway.client().query_rows_stream(sql) as stream,
    ):
        for _ in stream:
            pass


def test_a_client_that_waits_for_the_end_gets_a_status(gateway: GatewayProcess) -> None:
    answer = gateway.post("select throwIf(number = 500000) from numbers(1000000)", {"wait_end_of_query": "1"})
    assert (answer.status_code, answer.headers["X-ClickHouse-Exception-Code"]) == (500, "395")


def test_a_query_ends_when_its_client_goes_away(gateway: GatewayProcess) -> None:
    with pytest.raises(httpx.ReadTimeout):
        httpx.post(gateway.url, params={"query_id": "left-alone"}, content=BUSY, auth=WRITER, timeout=1)
    wait_until(lambda: not _runs(gateway, "left-alone"), "the query is gone")


def test_a_query_is_killed_by_its_clients_id(gateway: GatewayProcess) -> None:
    codes: list[str] = []

    def run() -> None:
        answer = gateway.post(BUSY, {"query_id": "to-be-killed"})
        codes.append(answer.headers["X-ClickHouse-Exception-Code"])

    thread = threading.Thread(target=run)
    thread.start()
    wait_until(lambda: _runs(gateway, "to-be-killed"))
    assert (
        gateway.post("select 1", {"query_id": "to-be-killed"}).headers["X-ClickHouse-Exception-Code"] == "216"
    )
    gateway.post("kill query where query_id = 'to-be-killed' sync").raise_for_status()
    thread.join(timeout=60)
    assert codes == ["394"]


def test_a_query_replaces_the_one_with_its_id(gateway: GatewayProcess) -> None:
    thread = threading.Thread(target=gateway.post, args=(BUSY, {"query_id": "replaced"}))
    thread.start()
    wait_until(lambda: _runs(gateway, "replaced"))
    answer = gateway.post("select 1", {"query_id": "replaced", "replace_running_query": "1"})
    thread.join(timeout=60)
    assert answer.text == "1\n"


def test_others_are_served_while_queries_run(gateway: GatewayProcess, table: str) -> None:
    """Four slow queries take all of the reader's connections; health and others do not wait for them."""
    slow = "select sum(sleepEachRow(0.1)) from numbers(100) settings max_block_size = 1"
    threads = [
        threading.Thread(
            target=gateway.post, args=(slow, {"query_id": f"slow-{number}"}), kwargs={"auth": READER}
        )
        for number in range(4)
    ]
    for thread in threads:
        thread.start()
    wait_until(lambda: all(_runs(gateway, f"slow-{number}") for number in range(4)))
    assert httpx.get(gateway.url + "ping").status_code == 200
    assert httpx.get(gateway.url + "health/ready").status_code == 200
    assert gateway.post(f"select count() from {table}").text == "0\n"
    assert all(_runs(gateway, f"slow-{number}") for number in range(4))
    for thread in threads:
        thread.join()


def test_clickhouse_connect_says_what_went_wrong(gateway: GatewayProcess) -> None:
    with pytest.raises(DatabaseError) as caught:
        gateway.client().query("select * from nowhere")
    assert caught.value.code == 60


def _runs(gateway: GatewayProcess, query_id: str) -> bool:
    return gateway.value(f"select count() from system.processes where {_is(query_id)}") != "0"


def _is(query_id: str) -> str:
    """The condition on a running statement that it has its client's id."""
    return f"endsWith(Settings['log_comment'], '{query_id}') and query not like '%endsWith%'"
