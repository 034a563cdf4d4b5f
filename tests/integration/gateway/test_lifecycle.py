"""What was acknowledged outlives the process; only one process has the data."""

import socket
import threading
import time
from pathlib import Path

import httpx
import pytest

from stack.gateway.serve import MAX_HEADER_BYTES
from tests.integration.gateway import gateway_process
from tests.integration.gateway.gateway_process import GatewayProcess

BATCH_ROWS = 500


def test_what_was_acknowledged_outlives_a_kill_and_is_there_once(
    own_gateway: GatewayProcess, tmp_path: Path
) -> None:
    own_gateway.post(
        "create table default.t (batch UInt32, n UInt32) engine = MergeTree order by (batch, n) "
        "settings non_replicated_deduplication_window = 10000"
    ).raise_for_status()
    acknowledged: set[int] = set()
    writers = [
        threading.Thread(target=_insert_until_gone, args=(own_gateway, number, acknowledged))
        for number in range(3)
    ]
    for writer in writers:
        writer.start()
    while len(acknowledged) < 60:
        time.sleep(0.01)
    own_gateway.kill()
    for writer in writers:
        writer.join()

    again = gateway_process.start(tmp_path)
    try:
        known = sorted(acknowledged)
        assert len(known) >= 60
        stored = again.value(
            "select groupArray(batch) from (select distinct batch from default.t order by batch)"
        )
        assert set(known) <= set(map(int, stored.strip("[]").split(",")))
        for batch in [*known, max(known) + 1]:
            _insert(again, batch).raise_for_status()
        batches = "select batch, count() as rows from default.t group by batch"
        uneven = f"select countIf(rows != {BATCH_ROWS}) from ({batches})"
        assert again.value(uneven) == "0"
    finally:
        again.kill()


@pytest.mark.parametrize("filler", [b"x", b"\r\nX-Filler: x"], ids=["one", "many"])
def test_endless_headers_are_cut_off(gateway: GatewayProcess, filler: bytes) -> None:
    head = b"GET /ping HTTP/1.1\r\nHost: x\r\nX-Filler: "
    with socket.create_connection(("127.0.0.1", gateway.port), timeout=20) as connection:
        # No byte more than it takes: with unread ones, the answer would be lost to a reset.
        connection.sendall((head + filler * MAX_HEADER_BYTES)[: MAX_HEADER_BYTES + 1])
        assert read_to_end(connection).startswith(b"HTTP/1.1 400 ")
        with pytest.raises(ConnectionError):
            send_without_end(connection, filler * 8_192)
    assert httpx.get(gateway.url + "ping", headers={"X-Filler": "x" * 500_000}).status_code == 200


def read_to_end(connection: socket.socket) -> bytes:
    answer = b""
    while piece := connection.recv(65_536):
        answer += piece
    return answer


def send_without_end(connection: socket.socket, piece: bytes) -> None:
    for _ in range(100):
        connection.sendall(piece)


def test_a_second_gateway_on_the_same_data_is_refused(gateway: GatewayProcess, tmp_path: Path) -> None:
    second = gateway_process.launch(gateway.directory, gateway_process.free_port())
    assert second.wait(timeout=30) != 0
    assert "Another process has the ClickHouse data directory" in gateway.log
    assert "CLICKSTREAM_STACK__DATA_DIR" in gateway.log


def test_a_gateway_that_is_asked_to_stop_ends_what_runs(own_gateway: GatewayProcess) -> None:
    texts: list[str] = []
    slow = "select sum(sleepEachRow(0.1)) + 7 from numbers(15) settings max_block_size = 1"
    running = threading.Thread(target=lambda: texts.append(own_gateway.post(slow, {"query_id": "last"}).text))
    running.start()
    while own_gateway.value("select countIf(Settings['log_comment'] = 'last') from system.processes") == "0":
        time.sleep(0.02)
    assert own_gateway.stop() == 0
    running.join()
    assert texts == ["7\n"]


def _insert_until_gone(gateway: GatewayProcess, number: int, acknowledged: set[int]) -> None:
    batch = number * 1_000_000
    while True:
        try:
            answer = _insert(gateway, batch)
        except httpx.TransportError:
            return
        if answer.status_code == 200:
            acknowledged.add(batch)
        batch += 1


def _insert(gateway: GatewayProcess, batch: int) -> httpx.Response:
    rows = b"".join(b"%d\t%d\n" % (batch, n) for n in range(BATCH_ROWS))
    return gateway.post(
        rows, {"query": "insert into default.t format TSV", "insert_deduplication_token": f"batch-{batch}"}
    )
