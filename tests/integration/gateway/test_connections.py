"""Strangers at the door: what they can hold, and for how long."""

import contextlib
import re
import socket
import time

import httpx
import psutil
import pytest
import zstandard

from stack.gateway.connections import HEAD_SECONDS, MAX_UNPROVEN
from tests.integration.gateway.gateway_process import READER, WRITER, GatewayProcess
from tests.waiting import wait_until

LONG_HEAD = b"GET /?query=select+1 HTTP/1.1\r\nHost: x\r\nX-Filler: " + b"x" * 500_000


def _connect(gateway: GatewayProcess) -> socket.socket:
    return socket.create_connection(("127.0.0.1", gateway.port), timeout=30)


def _is_open(connection: socket.socket) -> bool:
    connection.settimeout(0.01)
    try:
        return connection.recv(1) != b""
    except TimeoutError:
        return True
    except OSError:
        return False


def test_unfinished_heads_are_few_and_lock_nobody_out(gateway: GatewayProcess) -> None:
    process = psutil.Process(gateway.process.pid)
    before = process.memory_info().rss
    with contextlib.ExitStack() as stack:
        strangers = [stack.enter_context(_connect(gateway)) for _ in range(200)]
        for stranger in strangers:
            with contextlib.suppress(OSError):
                stranger.sendall(LONG_HEAD)
        assert gateway.post("select 1", auth=READER).text == "1\n"
        assert sum(_is_open(stranger) for stranger in strangers) <= MAX_UNPROVEN
        assert process.memory_info().rss - before < 200_000_000


def test_a_head_has_to_end_in_time_on_every_request_of_a_connection(gateway: GatewayProcess) -> None:
    with _connect(gateway) as first, _connect(gateway) as second, _connect(gateway) as silent:
        second.sendall(b"GET /ping HTTP/1.1\r\nHost: x\r\n\r\n")
        assert b"200 OK" in second.recv(65_536)
        begun = time.monotonic()
        open_ones = [first, second, silent]
        while open_ones and time.monotonic() - begun < 3 * HEAD_SECONDS:
            for dripping in (first, second):
                with contextlib.suppress(OSError):
                    dripping.sendall(b"G")
            open_ones = [connection for connection in open_ones if _is_open(connection)]
            time.sleep(0.5)
        assert open_ones == []
        assert time.monotonic() - begun > HEAD_SECONDS - 2


def test_a_quiet_connection_that_signed_in_stays(gateway: GatewayProcess) -> None:
    with httpx.Client(base_url=gateway.url, auth=WRITER, timeout=30) as client:
        assert client.post("/", content="select 1").text == "1\n"
        kept = next(iter(client._transport._pool.connections))  # type: ignore[attr-defined]
        with contextlib.ExitStack() as stack:
            for _ in range(MAX_UNPROVEN + 5):
                stack.enter_context(_connect(gateway))
            assert client.post("/", content="select 2").text == "2\n"
        assert next(iter(client._transport._pool.connections)) is kept  # type: ignore[attr-defined]


def test_wrong_passwords_are_slowed_down_and_the_right_one_is_not(own_gateway: GatewayProcess) -> None:
    wrong = (READER[0], "wrong-password")
    statuses = [own_gateway.post("select 1", auth=wrong).status_code for _ in range(12)]
    assert statuses == [403] * 10 + [429] * 2
    begun = time.monotonic()
    refused = own_gateway.post("select 1", auth=wrong)
    assert time.monotonic() - begun > 1.5
    assert int(refused.headers["Retry-After"]) in range(1, 61)
    assert min(_seconds_of_an_answer(own_gateway) for _ in range(3)) < 1.5


def _seconds_of_an_answer(gateway: GatewayProcess) -> float:
    begun = time.monotonic()
    assert gateway.post("select 1", auth=READER).text == "1\n"
    return time.monotonic() - begun


@pytest.mark.parametrize("auth", [("nobody", "no-password"), READER], ids=["stranger", "reader"])
def test_a_bomb_takes_no_memory(gateway: GatewayProcess, auth: tuple[str, str]) -> None:
    compressor = zstandard.ZstdCompressor(level=19)
    bomb = compressor.compress(b" " * 400_000_000)
    process = psutil.Process(gateway.process.pid)
    before = process.memory_info().rss
    answer = gateway.post(bomb, auth=auth, headers={"Content-Encoding": "zstd"})
    assert answer.headers["X-ClickHouse-Exception-Code"] in ("229", "516")
    assert process.memory_info().rss - before < 200_000_000


def test_blanks_are_a_statement_that_is_too_long(gateway: GatewayProcess) -> None:
    process = psutil.Process(gateway.process.pid)
    before = process.memory_info().rss
    for auth, code in ((READER, "229"), (WRITER, "229")):
        assert gateway.post(b" " * 8_388_608, auth=auth).headers["X-ClickHouse-Exception-Code"] == code
    assert process.memory_info().rss - before < 200_000_000


def test_metrics_are_those_of_a_server(gateway: GatewayProcess) -> None:
    answer = httpx.get(gateway.url + "metrics")
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    lines = answer.text.splitlines()
    assert "# TYPE ClickHouseMetrics_Query gauge" in lines
    assert "# TYPE ClickHouseProfileEvents_Query counter" in lines
    assert any(line.startswith("ClickHouseAsyncMetrics_") for line in lines)
    sample = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]* (-?[0-9.e+-]+|nan|inf|-inf)")
    assert all(line.startswith("# ") or sample.fullmatch(line) for line in lines)


def test_metrics_under_a_foreign_name_need_a_password(gateway: GatewayProcess) -> None:
    url, foreign = gateway.url + "metrics", {"Host": "127.0.0.1.rebound.example:8123"}
    refused = httpx.get(url, headers=foreign)
    assert refused.status_code == 403
    assert "# TYPE" not in refused.text
    assert httpx.get(url, headers=foreign, auth=READER).status_code == 200


def test_metrics_grow(gateway: GatewayProcess) -> None:
    def queries() -> float:
        found = re.search(
            r"^ClickHouseProfileEvents_Query (\S+)$", httpx.get(gateway.url + "metrics").text, re.M
        )
        assert found
        return float(found[1])

    before = queries()
    for _ in range(5):
        gateway.post("select 1")
    wait_until(lambda: queries() >= before + 5)
