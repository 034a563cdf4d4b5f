"""Rows that are sent arrive: all of them, once, or none."""

import datetime
import gzip
import io
import json
import zlib
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import lz4.frame  # type: ignore[import-untyped]
import pyarrow as pa
import pyarrow.parquet
import pytest
import zstandard

from tests.integration.gateway.gateway_process import GatewayProcess

COMPRESSORS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "deflate": zlib.compress,
    "lz4": lz4.frame.compress,
    "zstd": zstandard.ZstdCompressor().compress,
}


@pytest.mark.parametrize("rows", [1, 8_191, 8_193, 300_000])
@pytest.mark.parametrize("compression", [False, "lz4", "zstd", "gzip"])
def test_every_row_of_a_native_insert_is_stored(
    gateway: GatewayProcess, table: str, rows: int, compression: str | bool
) -> None:
    client = gateway.client(compress=compression)
    client.insert(table, [list(range(rows))], column_names=["id"], column_oriented=True)
    assert gateway.value(f"select count(), sum(id) from {table}") == f"{rows}\t{rows * (rows - 1) // 2}"


@pytest.mark.parametrize("encoding", COMPRESSORS)
def test_every_frame_of_a_body_is_read(gateway: GatewayProcess, table: str, encoding: str) -> None:
    frames = [
        COMPRESSORS[encoding](b"".join(b"%d\n" % row for row in range(n * 10, n * 10 + 10)))
        for n in range(50)
    ]
    answer = gateway.post(
        b"".join(frames),
        {"query": f"insert into {table} (id) format TSV"},
        headers={"Content-Encoding": encoding},
    )
    assert answer.status_code == 200
    assert json.loads(answer.headers["X-ClickHouse-Summary"])["written_rows"] == "500"
    assert gateway.value(f"select count() from {table}") == "500"


@pytest.mark.parametrize("encoding", COMPRESSORS)
def test_a_body_cut_off_within_a_frame_stores_nothing(
    gateway: GatewayProcess, table: str, encoding: str
) -> None:
    whole = COMPRESSORS[encoding](b"1\n2\n")
    cut = COMPRESSORS[encoding](b"".join(b"%d\n" % row for row in range(100_000)))[:-20]
    answer = gateway.post(
        whole + cut, {"query": f"insert into {table} (id) format TSV"}, headers={"Content-Encoding": encoding}
    )
    assert answer.headers["X-ClickHouse-Exception-Code"] == "271"
    assert gateway.value(f"select count() from {table}") == "0"


def test_a_native_block_cut_off_stores_nothing(gateway: GatewayProcess, table: str) -> None:
    block = gateway.post("select number as id from numbers(1000) format Native").content
    answer = gateway.post(block[:-100], {"query": f"insert into {table} (id) format Native"})
    assert answer.headers["X-ClickHouse-Exception-Code"] == "33"
    assert gateway.value(f"select count() from {table}") == "0"


def test_a_broken_row_stores_nothing_of_its_insert(gateway: GatewayProcess, table: str) -> None:
    answer = gateway.post(f"insert into {table} (id) format TSV\n1\nnonsense\n3\n")
    assert (answer.status_code, answer.headers["X-ClickHouse-Exception-Code"]) == (400, "27")
    assert gateway.value(f"select count() from {table}") == "0"


FORMATS = [
    pytest.param("Values", b"(1,'a'),(2,'b;')", id="Values"),
    pytest.param("TSV", b"1\ta\n2\tb;\n", id="TSV"),
    pytest.param("CSV", b'1,"a"\n2,"b;"\n', id="CSV"),
    pytest.param("CSVWithNames", b's,id\n"a",1\n"b;",2\n', id="CSVWithNames"),
    pytest.param("JSONEachRow", b'{"id":1,"s":"a"}\n{"id":2,"s":"b;"}', id="JSONEachRow"),
    pytest.param("JSONCompactEachRow", b'[1,"a"]\n[2,"b;"]', id="JSONCompactEachRow"),
]


@pytest.mark.parametrize(("fmt", "rows"), FORMATS)
@pytest.mark.parametrize("place", ["after the statement", "in the body alone"])
def test_rows_in_text_formats_are_stored(
    gateway: GatewayProcess, table: str, fmt: str, rows: bytes, place: str
) -> None:
    clause = "values" if fmt == "Values" else f"format {fmt}"
    statement = f"insert into {table} (id, s) {clause}"
    if place == "after the statement":
        answer = gateway.post(statement.encode() + b"\n" + rows)
    else:
        answer = gateway.post(rows, {"query": statement})
    assert answer.status_code == 200, answer.text
    assert (
        gateway.value(f"select groupArray((id, s)) from (select * from {table} order by id)")
        == "[(1,'a'),(2,'b;')]"
    )


@pytest.mark.parametrize("fmt", ["Native", "RowBinary", "Arrow", "ArrowStream", "Parquet", "ORC", "JSON"])
def test_rows_survive_a_round_trip_through_a_format(gateway: GatewayProcess, table: str, fmt: str) -> None:
    rows = gateway.post(
        f"select number as id, toString(number) as s from numbers(100000) format {fmt}"
    ).content
    answer = gateway.post(rows, {"query": f"insert into {table} format {fmt}"})
    assert answer.status_code == 200, answer.text
    assert (
        gateway.value(f"select count(), sum(id), sum(toUInt64(s)) from {table}")
        == "100000\t4999950000\t4999950000"
    )


def test_every_column_type_in_use_is_stored_as_sent(gateway: GatewayProcess) -> None:
    gateway.post(
        "create or replace table default.all_types (j JSON, l LowCardinality(String), "
        "a Array(Tuple(code String, n UInt8)), m Map(String, UInt64), n Nullable(UInt32), "
        "d DateTime64(3, 'UTC'), x Decimal(10, 2), u UInt64, b Bool, k Array(Date)) "
        "engine = MergeTree order by u"
    ).raise_for_status()
    row: list[object] = [
        {"event_title": "checkout", "deep": {"x": 1}},
        "click",
        [("missing_field", 1), ("too_long", 2)],
        {"a": 2**63},
        None,
        datetime.datetime.fromisoformat("2025-01-01T10:00:00.123"),
        Decimal("12.34"),
        2**64 - 1,
        True,
        [datetime.date(2025, 1, 1)],
    ]
    client = gateway.client()
    client.insert("default.all_types", [row])
    stored: list[Any] = list(client.query("select * from default.all_types").result_rows[0])
    stored[2] = [(entry["code"], entry["n"]) for entry in stored[2]]
    assert stored == row


def test_aggregate_states_are_stored_by_insert_select(gateway: GatewayProcess) -> None:
    gateway.post(
        "create or replace table default.states (d Date, users_state AggregateFunction(groupBitmap, UInt64)) "
        "engine = AggregatingMergeTree order by d"
    ).raise_for_status()
    answer = gateway.post(
        "insert into default.states select '2025-01-01', groupBitmapState(number) from numbers(1000)"
    )
    assert json.loads(answer.headers["X-ClickHouse-Summary"])["written_rows"] == "1"
    assert gateway.value("select groupBitmapMerge(users_state) from default.states") == "1000"


def test_arrow_tables_go_in_and_out(gateway: GatewayProcess, table: str) -> None:
    client = gateway.client()
    rows = pa.table({"id": pa.array(range(200_000), pa.uint64()), "s": pa.array(["ä"] * 200_000)})
    client.insert_arrow(table, rows)
    found = client.query_arrow(f"select id, s from {table} order by id", use_strings=True)
    assert found.cast(rows.schema).equals(rows)


def test_a_parquet_file_is_stored(gateway: GatewayProcess, table: str) -> None:
    file = io.BytesIO()
    pyarrow.parquet.write_table(pa.table({"id": pa.array(range(1_000), pa.uint64())}), file)
    gateway.post(file.getvalue(), {"query": f"insert into {table} (id) format Parquet"}).raise_for_status()
    assert gateway.value(f"select count() from {table}") == "1000"


def test_the_same_token_stores_rows_once(gateway: GatewayProcess, table: str) -> None:
    for _ in range(3):
        gateway.post(
            f"insert into {table} (id) format TSV\n1\n2\n", {"insert_deduplication_token": "chunk-1"}
        ).raise_for_status()
    gateway.post(
        f"insert into {table} (id) format TSV\n1\n2\n", {"insert_deduplication_token": "chunk-2"}
    ).raise_for_status()
    assert gateway.value(f"select count() from {table}") == "4"


def test_rows_for_the_input_function_are_refused_and_not_lost(gateway: GatewayProcess, table: str) -> None:
    answer = gateway.post(f"insert into {table} (id) select n + 1 from input('n UInt64') format TSV\n1\n2\n")
    assert (answer.status_code, answer.headers["X-ClickHouse-Exception-Code"]) == (501, "48")


@pytest.mark.parametrize(
    "statement", ["insert into {table}", "insert into {table} (id)", "insert into {table} fromat TSV"]
)
def test_rows_without_a_format_are_refused_and_not_lost(
    gateway: GatewayProcess, table: str, statement: str
) -> None:
    answer = gateway.post(b"1\n2\n", {"query": statement.format(table=table)})
    assert answer.headers["X-ClickHouse-Exception-Code"] == "62"
