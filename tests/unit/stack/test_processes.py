"""Processes and ports, with real processes and ports."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from stack.processes import (
    described,
    end_processes,
    holder_of,
    is_free,
    marks,
    own_memory_bytes,
    processes_of,
    reserved_ports,
    tree_memory_bytes,
)

STUBBORN = (
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
    "print('ready', flush=True); time.sleep(99)"
)
CHILD = "import time; print('ready', flush=True); time.sleep(99)"
# The child says when it is ready: for a moment after its start, the kernel shows no environment of it.
PARENT = f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', {CHILD!r}]).wait()"


@pytest.fixture
def spawn(tmp_path: Path) -> Iterator[object]:
    spawned: list[psutil.Popen] = []

    def start(code: str, service: str = "clickhouse") -> psutil.Popen:
        process = psutil.Popen(
            [sys.executable, "-c", code],
            env={**os.environ, **marks(tmp_path, service)},
            stdout=subprocess.PIPE,
        )
        spawned.append(process)
        assert process.stdout.readline() == b"ready\n"
        return process

    yield start
    for process in spawned:
        family = [*process.children(recursive=True), process] if process.is_running() else []
        for member in family:
            member.kill()
        process.wait()


def test_processes_of_a_stack_are_found_with_their_children(tmp_path: Path, spawn) -> None:  # type: ignore[no-untyped-def]
    parent = spawn(PARENT)

    found = {process.pid for process in processes_of(tmp_path)}

    assert found == {parent.pid, *(child.pid for child in parent.children())}
    assert len(found) == 2


def test_children_are_found_when_their_parent_was_killed(tmp_path: Path, spawn) -> None:  # type: ignore[no-untyped-def]
    parent = spawn(PARENT)
    (child,) = parent.children()
    parent.send_signal(signal.SIGKILL)
    parent.wait()

    assert [process.pid for process in processes_of(tmp_path)] == [child.pid]
    end_processes([child], patience_seconds=5)


def test_processes_of_another_stack_or_service_are_not_found(tmp_path: Path, spawn) -> None:  # type: ignore[no-untyped-def]
    spawn(PARENT, service="mage")

    assert processes_of(tmp_path / "other") == []
    assert processes_of(tmp_path, "clickhouse") == []
    assert len(processes_of(tmp_path, "mage")) == 2


def test_a_process_that_does_not_stop_is_killed(spawn) -> None:  # type: ignore[no-untyped-def]
    process = spawn(STUBBORN)

    end_processes([process], patience_seconds=0.2)

    assert process.wait() == -signal.SIGKILL


def test_memory_of_a_tree_includes_its_children(spawn) -> None:  # type: ignore[no-untyped-def]
    parent = spawn(PARENT)

    assert tree_memory_bytes(parent.pid) > own_memory_bytes(parent.pid) > 0


def test_a_port_is_taken_while_somebody_listens_on_it() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert not is_free("127.0.0.1", port)
        holder = holder_of(port)
    assert is_free("127.0.0.1", port)
    assert holder is not None
    assert holder.pid == os.getpid()
    assert described(holder).startswith(f"process {os.getpid()} (")


def test_reserved_ports_differ_and_a_server_can_listen_there() -> None:
    with reserved_ports("127.0.0.1", 20) as ports:
        assert len(set(ports)) == 20
        for port in ports:
            assert is_free("127.0.0.1", port)
            with socket.create_server(("127.0.0.1", port)):
                assert not is_free("127.0.0.1", port)


def test_a_reserved_port_goes_to_no_client() -> None:
    """Else a client's connection, which takes any free port, would keep the service from its own."""
    with (
        reserved_ports("127.0.0.1", 1) as [port],
        socket.socket() as client,
        pytest.raises(OSError, match="in use"),
    ):
        client.bind(("127.0.0.1", port))
