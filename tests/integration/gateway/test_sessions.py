"""A session keeps its tables and settings; nothing else is kept."""

import threading
import time

import httpx

from tests.integration.gateway.gateway_process import READER, GatewayProcess


def test_a_session_keeps_temporary_tables_and_settings(gateway: GatewayProcess) -> None:
    session = {"session_id": "keeps"}
    for sql in (
        "create temporary table kept (a UInt8)",
        "insert into kept values (1), (2)",
        "set max_threads = 3",
        "use system",
    ):
        gateway.post(sql, session).raise_for_status()
    found = gateway.post("select sum(a), getSetting('max_threads'), currentDatabase() from kept", session)
    assert found.text == "3\t3\tsystem\n"


def test_a_statements_settings_do_not_stay_in_its_session(gateway: GatewayProcess) -> None:
    session = {"session_id": "lends"}
    ask = "select getSetting('max_threads'), getSetting('date_time_output_format'), currentDatabase()"
    gateway.post("set max_threads = 3", session).raise_for_status()
    changed = {"max_threads": "5", "date_time_output_format": "iso", "database": "system"}
    assert gateway.post(ask, session | changed).text == "5\tiso\tsystem\n"
    assert gateway.post(ask, session).text == "3\tsimple\tdefault\n"
    gateway.post("set max_threads = 4", session | changed).raise_for_status()
    assert gateway.post(ask, session).text == "4\tsimple\tdefault\n"


def test_sessions_do_not_see_each_other(gateway: GatewayProcess) -> None:
    gateway.post("create temporary table mine (a UInt8)", {"session_id": "one"}).raise_for_status()
    assert gateway.post("select * from mine", {"session_id": "two"}).status_code == 404
    assert gateway.post("select * from mine", {"session_id": "one"}, auth=READER).status_code == 404


def test_a_busy_session_is_locked(gateway: GatewayProcess) -> None:
    slow = "select sum(sleepEachRow(0.1)) from numbers(15) settings max_block_size = 1"
    thread = threading.Thread(target=gateway.post, args=(slow, {"session_id": "busy", "query_id": "in-busy"}))
    thread.start()
    running = "select countIf(Settings['log_comment'] = 'in-busy') from system.processes"
    while gateway.value(running) == "0":
        time.sleep(0.02)
    answer = gateway.post("select 1", {"session_id": "busy"})
    thread.join()
    assert (answer.status_code, answer.headers["X-ClickHouse-Exception-Code"]) == (500, "373")
    assert gateway.post("select 1", {"session_id": "busy"}).text == "1\n"


def test_session_check_wants_a_session_that_is_there(gateway: GatewayProcess) -> None:
    asked = {"session_id": "checked", "session_check": "1"}
    assert gateway.post("select 1", asked).headers["X-ClickHouse-Exception-Code"] == "372"
    gateway.post("select 1", {"session_id": "checked"}).raise_for_status()
    assert gateway.post("select 1", asked).text == "1\n"


def test_a_session_ends_after_its_timeout(gateway: GatewayProcess) -> None:
    asked = {"session_id": "short", "session_timeout": "0"}
    gateway.post("create temporary table gone (a UInt8)", asked).raise_for_status()
    deadline = time.monotonic() + 15
    while _known(gateway, "short"):
        assert time.monotonic() < deadline
        time.sleep(0.2)


def test_a_session_timeout_out_of_bounds_is_refused(gateway: GatewayProcess) -> None:
    answer = gateway.post("select 1", {"session_id": "long", "session_timeout": "3601"})
    assert answer.headers["X-ClickHouse-Exception-Code"] == "374"


def test_a_session_is_free_as_soon_as_its_answer_is_there(gateway: GatewayProcess) -> None:
    with httpx.Client() as client:
        for _ in range(100):
            answer = client.post(
                gateway.url,
                params={"session_id": "fast"},
                content="select 1",
                auth=("clickstream_writer", "writer-secret"),
            )
            assert answer.text == "1\n"


def _known(gateway: GatewayProcess, session_id: str) -> bool:
    answer = gateway.post(
        "select 1", {"session_id": session_id, "session_check": "1", "session_timeout": "0"}
    )
    return answer.status_code == 200
