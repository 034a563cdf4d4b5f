"""The life of a stack with the real supervisor and the real ClickHouse gateway."""

import fcntl
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from clickstream.settings import PROJECT_ROOT, env_file, get_settings
from stack.checks import PortTakenError
from stack.cli import DECLINED
from stack.env_file import load_settings
from stack.isolated import isolated_stack
from stack.lifecycle import BusyError, ServiceStartError, Stack
from stack.paths import DataDirectoryError
from stack.processes import free_port, is_watchdog, processes_of
from stack.status import ServiceState, ServiceStatus, stack_status
from tests.waiting import PATIENCE_SECONDS, wait_until

IMPATIENT = {
    "CLICKSTREAM_STACK__HEALTH_CHECK_SECONDS": "0.2",
    "CLICKSTREAM_STACK__HEALTH_TIMEOUT_SECONDS": "0.5",
    "CLICKSTREAM_STACK__HEALTH_FAILURES_BEFORE_RESTART": "2",
    "CLICKSTREAM_STACK__STOP_TIMEOUT_SECONDS": "2",
}


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[Stack]:
    with isolated_stack(tmp_path, ("clickhouse",), IMPATIENT) as running:
        yield running


@pytest.fixture(scope="module")
def shared_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """For tests that leave the stack as they find it."""
    with isolated_stack(tmp_path_factory.mktemp("shared"), ("clickhouse",), IMPATIENT) as running:
        yield running


def clickhouse(stack: Stack) -> ServiceStatus:
    return next(row for row in stack_status(stack) if row.name == "clickhouse")


def is_up_with_another_process(stack: Stack, earlier: ServiceStatus) -> bool:
    now = clickhouse(stack)
    return now.state == ServiceState.UP and now.pid != earlier.pid


def run_cli(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "stack", *arguments]
    return subprocess.run(command, cwd=PROJECT_ROOT, input="n\n", capture_output=True, text=True, check=False)


def test_a_started_service_is_healthy_and_described(shared_stack: Stack) -> None:
    row = clickhouse(shared_stack)

    with urllib.request.urlopen(f"{row.address}/ping") as answer:
        assert answer.read() == b"Ok.\n"
    assert row.state == ServiceState.UP
    assert row.detail == ""
    assert row.memory_bytes > 10_000_000
    assert row.since is not None
    assert time.time() - row.since.timestamp() < PATIENCE_SECONDS


def test_starting_what_is_up_changes_nothing(shared_stack: Stack) -> None:
    before = clickhouse(shared_stack)

    result = shared_stack.up()

    assert result.started == ()
    assert clickhouse(shared_stack).pid == before.pid


def test_a_watchdog_that_is_missing_is_brought_by_up(stack: Stack) -> None:
    stack.supervisor.stop_process("watchdog")
    wait_until(lambda: stack.supervisor.processes()["watchdog"].pid == 0)

    stack.up()

    assert stack.supervisor.processes()["watchdog"].pid != 0


def test_a_killed_service_comes_back(stack: Stack) -> None:
    before = clickhouse(stack)
    assert before.pid is not None

    os.kill(before.pid, signal.SIGKILL)

    wait_until(lambda: is_up_with_another_process(stack, before))


def test_a_service_that_does_not_answer_is_restarted(stack: Stack) -> None:
    before = clickhouse(stack)
    assert before.pid is not None
    watchdog_log = stack.paths.log_of("watchdog")
    wait_until(lambda: f"(process {before.pid}) is healthy" in watchdog_log.read_text())

    os.kill(before.pid, signal.SIGSTOP)

    wait_until(lambda: is_up_with_another_process(stack, before))
    assert f"(process {before.pid}) does not answer within " in watchdog_log.read_text()
    wait_until(lambda: clickhouse(stack).restarts == 1, "the restart is counted")
    assert clickhouse(stack).last_failure_reason.startswith("does not answer within ")


def test_a_stopped_service_is_started_again_by_up(stack: Stack) -> None:
    stack.supervisor.stop_process("clickhouse")
    wait_until(lambda: clickhouse(stack).state == ServiceState.STOPPED)

    assert stack.up().started == ("clickhouse",)
    assert clickhouse(stack).state == ServiceState.UP


def watchdog_log(stack: Stack) -> str:
    return stack.paths.log_of("watchdog").read_text()


def watchdog_processes(stack: Stack) -> list[psutil.Process]:
    """The watchdog and the process that stands by for it."""
    return [one for one in processes_of(stack.paths.data) if is_watchdog(one)]


def kill_supervisor_and_watchdog(stack: Stack) -> None:
    """Leaves nothing that could bring the stack back."""
    wait_until(lambda: len(watchdog_processes(stack)) == 2, "the watchdog watches")
    watchdogs = watchdog_processes(stack)
    for process in watchdogs:
        process.suspend()
    os.kill(stack.supervisor.pid(), signal.SIGKILL)
    for process in watchdogs:
        process.kill()


def test_a_supervisor_and_a_watchdog_that_were_killed_together_are_brought_back(stack: Stack) -> None:
    wait_until(lambda: len(watchdog_processes(stack)) == 2, "the watchdog watches")
    before = clickhouse(stack)
    watchdog, supervisor = stack.supervisor.processes()["watchdog"].pid, stack.supervisor.pid()

    os.kill(watchdog, signal.SIGKILL)
    os.kill(supervisor, signal.SIGKILL)

    wait_until(stack.supervisor.is_running)
    wait_until(lambda: is_up_with_another_process(stack, before))


def test_a_killed_supervisor_is_brought_back_by_the_watchdog(stack: Stack) -> None:
    before = clickhouse(stack)
    killed = stack.supervisor.pid()
    wait_until(lambda: len(watchdog_processes(stack)) == 2, "the watchdog watches")
    [substitute] = psutil.Process(stack.supervisor.processes()["watchdog"].pid).children()

    os.kill(killed, signal.SIGKILL)

    wait_until(lambda: stack.supervisor.is_running() and stack.supervisor.pid() != killed)
    wait_until(lambda: is_up_with_another_process(stack, before))
    assert before.pid not in psutil.pids()
    wait_until(lambda: clickhouse(stack).restarts == 1, "the restart is counted")
    wait_until(lambda: len(watchdog_processes(stack)) == 2, "one watchdog and its substitute are left")
    # It would have had to take over if those who brought the supervisor back had been killed.
    ended = re.findall(r"Ending what is left running of this stack: (.*)", watchdog_log(stack))
    assert ended
    assert [line for line in ended if str(substitute.pid) in line] == []


def test_a_killed_substitute_of_the_watchdog_is_replaced(stack: Stack) -> None:
    wait_until(lambda: len(watchdog_processes(stack)) == 2, "the watchdog watches")
    watchdog = stack.supervisor.processes()["watchdog"].pid
    [substitute] = psutil.Process(watchdog).children()

    substitute.kill()

    wait_until(lambda: stack.supervisor.processes()["watchdog"].pid not in {0, watchdog})
    wait_until(lambda: len(watchdog_processes(stack)) == 2, "the next one has a substitute, too")


def test_a_killed_watchdog_comes_back_and_remembers(stack: Stack) -> None:
    wait_until(stack.paths.health.exists)
    before = clickhouse(stack)
    assert before.pid is not None
    os.kill(before.pid, signal.SIGKILL)
    wait_until(lambda: clickhouse(stack).restarts == 1)
    watchdog = stack.supervisor.processes()["watchdog"].pid

    os.kill(watchdog, signal.SIGKILL)

    wait_until(lambda: stack.supervisor.processes()["watchdog"].pid not in {0, watchdog})
    wait_until(lambda: is_up_with_another_process(stack, before))
    row = clickhouse(stack)
    assert (row.restarts, row.last_failure_at is not None) == (1, True)
    assert row.last_failure_reason.startswith(f"process {before.pid} ")


def test_a_stack_whose_supervisor_and_watchdog_were_killed_can_be_started_again(stack: Stack) -> None:
    before = clickhouse(stack)
    kill_supervisor_and_watchdog(stack)
    wait_until(lambda: clickhouse(stack).state == ServiceState.LEFT_OVER)

    stack.up()

    assert is_up_with_another_process(stack, before)
    assert before.pid not in psutil.pids()


def test_a_stack_whose_supervisor_and_watchdog_were_killed_can_be_stopped(stack: Stack) -> None:
    kill_supervisor_and_watchdog(stack)

    assert stack.down()
    assert processes_of(stack.paths.data) == []


def test_stopping_leaves_no_process_and_keeps_the_data(stack: Stack) -> None:
    assert stack.down()

    assert processes_of(stack.paths.data) == []
    assert stack.paths.home_of("clickhouse").is_dir()
    assert {row.state for row in stack_status(stack)} == {ServiceState.STOPPED}
    assert not stack.down()


def test_two_stacks_run_side_by_side(stack: Stack, tmp_path: Path) -> None:
    second_directory = tmp_path / "second"
    second_directory.mkdir()

    with isolated_stack(second_directory) as second:
        assert clickhouse(second).address != clickhouse(stack).address
        assert clickhouse(second).state == ServiceState.UP

    assert processes_of(second.paths.data) == []
    assert clickhouse(stack).state == ServiceState.UP


def test_deleting_the_data_stops_the_stack_and_leaves_the_settings(stack: Stack, tmp_path: Path) -> None:
    (tmp_path / "neighbour").mkdir()

    stack.delete_data()

    assert processes_of(stack.paths.data) == []
    assert sorted(path.name for path in tmp_path.iterdir()) == [".env", "neighbour"]


def test_a_directory_that_is_no_stacks_is_not_deleted(stack: Stack) -> None:
    stack.paths.mark.unlink()

    with pytest.raises(DataDirectoryError, match="holds files that no stack made"):
        stack.delete_data()
    assert clickhouse(stack).state == ServiceState.UP


def test_a_taken_port_is_said_and_nothing_is_started(stack: Stack) -> None:
    stack.down()
    port = stack.settings.clickhouse.port
    said = pytest.raises(PortTakenError, match=f"Port {port}, which clickhouse")

    with socket.create_server(("127.0.0.1", port)), said:
        stack.up()

    assert processes_of(stack.paths.data) == []


def test_a_service_that_does_not_start_is_named_with_its_log_and_all_is_stopped(stack: Stack) -> None:
    stack.down()
    home = stack.paths.home_of("clickhouse")
    home.rename(home.with_name("aside"))
    home.touch()

    with pytest.raises(ServiceStartError, match="clickhouse ended 3 times while starting") as caught:
        stack.up()

    assert "clickhouse can't be started: [Errno 17] File exists" in "\n".join(caught.value.log_lines)
    assert str(stack.paths.log_of("clickhouse")) in caught.value.hint
    assert processes_of(stack.paths.data) == []


def test_two_commands_do_not_start_and_stop_at_once(shared_stack: Stack) -> None:
    with shared_stack.paths.lock.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(BusyError):
            shared_stack.up()
        with pytest.raises(BusyError):
            shared_stack.down()


def test_settings_changed_since_the_start_are_said(shared_stack: Stack) -> None:
    port = shared_stack.settings.clickhouse.port
    wait_until(lambda: clickhouse(shared_stack).state is ServiceState.UP)
    shared_stack.settings.clickhouse.port = port + 1
    try:
        changes = shared_stack.address_changes()
        row = clickhouse(shared_stack)
    finally:
        shared_stack.settings.clickhouse.port = port

    assert changes == [f"clickhouse listens on 127.0.0.1:{port}, not on 127.0.0.1:{port + 1}"]
    assert (row.state, row.address) == (ServiceState.UP, f"http://127.0.0.1:{port}")


def test_up_applies_settings_that_have_changed_since_the_start(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = free_port("127.0.0.1")
    monkeypatch.setenv("CLICKSTREAM_CLICKHOUSE__PORT", str(port))
    get_settings.cache_clear()
    changed = Stack(load_settings())

    changed.up()

    row = clickhouse(changed)
    assert (row.state, row.address) == (ServiceState.UP, f"http://127.0.0.1:{port}")
    assert changed.address_changes() == []


def test_changed_settings_that_cannot_be_applied_leave_the_stack_running(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        monkeypatch.setenv("CLICKSTREAM_CLICKHOUSE__PORT", str(taken.getsockname()[1]))
        get_settings.cache_clear()
        with pytest.raises(PortTakenError):
            Stack(load_settings()).up()

    assert clickhouse(stack).state == ServiceState.UP


def test_a_deep_data_directory_has_a_control_socket_all_the_same(tmp_path: Path) -> None:
    deep = tmp_path / ("d" * 120)
    deep.mkdir()

    with isolated_stack(deep) as stack:
        assert clickhouse(stack).state == ServiceState.UP
        assert stack.paths.short_directory.is_dir()

    assert not stack.paths.short_directory.exists()


def test_status_as_json_is_json_alone(shared_stack: Stack) -> None:
    finished = run_cli("status", "--json", "--check")

    rows = json.loads(finished.stdout)
    assert finished.returncode == 0
    assert [(row["name"], row["state"]) for row in rows] == [("clickhouse", "up"), ("supervisor", "up")]


def test_logs_show_what_a_service_wrote(shared_stack: Stack) -> None:
    shared_stack.paths.log_of("clickhouse").write_text("something worth reading [brackets]\n")

    finished = run_cli("logs", "clickhouse")

    assert finished.stdout == "clickhouse | something worth reading [brackets]\n"


@pytest.mark.parametrize("name", ["supervisor", "watchdog"])
def test_logs_show_whoever_looks_after_the_services(shared_stack: Stack, name: str) -> None:
    shared_stack.paths.log_of(name).write_text("a line\n")

    assert run_cli("logs", name).stdout == f"{name} | a line\n"


def test_a_log_that_is_not_there_is_answered_with_those_that_are(shared_stack: Stack) -> None:
    finished = run_cli("logs", "clickhose")

    assert finished.returncode == 1
    assert (
        "There is no log of 'clickhose'; there are those of clickhouse, supervisor, watchdog."
        in finished.stderr
    )


def test_stopping_a_healthy_stack_ends_nothing_by_force(stack: Stack) -> None:
    finished = run_cli("down")

    assert finished.returncode == 0
    assert "left running" not in finished.stdout


def test_reset_asks_first(shared_stack: Stack) -> None:
    declined = run_cli("reset")

    assert declined.returncode == 0
    assert "Nothing was changed." in declined.stdout
    assert f"delete all its data in {shared_stack.paths.data}?" in declined.stdout
    assert clickhouse(shared_stack).state == ServiceState.UP


def test_uninstall_asks_first(shared_stack: Stack) -> None:
    declined = run_cli("uninstall")

    assert declined.returncode == DECLINED
    assert f"delete its data in {shared_stack.paths.data}, {env_file()} and" in declined.stdout
    assert clickhouse(shared_stack).state == ServiceState.UP


def test_uninstall_leaves_neither_data_nor_settings_nor_temporary_files(stack: Stack) -> None:
    settings_file = env_file()
    assert stack.paths.temporary_of("clickhouse").is_dir()

    assert run_cli("uninstall", "--yes").returncode == 0

    assert processes_of(stack.paths.data) == []
    assert not settings_file.exists()
    assert not stack.paths.data.exists()
    assert not stack.paths.short_directory.exists()
