"""Processes and ports of this machine: whose they are, what they use, and how they end."""

import errno
import os
import socket
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

import psutil

# A process of a stack carries these, and so do its children: they tell what is left over of a stack whose
# supervisor was killed, without guessing by name.
DATA_MARK: Final = "CLICKSTREAM_STACK_MARK"
SERVICE_MARK: Final = "CLICKSTREAM_SERVICE_MARK"

_LOOK_SECONDS: Final = 0.02


def marks(data: Path, service: str = "") -> Mapping[str, str]:
    """Environment variables that mark a process as the stack's, and as the service's."""
    return {DATA_MARK: str(data), SERVICE_MARK: service}


def processes_of(data: Path, service: str | None = None) -> list[psutil.Process]:
    """The running processes of the stack with this data directory, or of one service of it.

    The calling process and its ancestors are never among them.
    """
    own = {os.getpid(), *(parent.pid for parent in psutil.Process().parents())}
    found = []
    for process in psutil.process_iter():
        try:
            if process.pid in own or process.uids().real != os.getuid():
                continue
            environment = process.environ()
        except psutil.Error:
            continue
        if environment.get(DATA_MARK) == str(data) and service in {None, environment.get(SERVICE_MARK)}:
            found.append(process)
    return found


def is_watchdog(process: psutil.Process) -> bool:
    """Whether it is a watchdog of a stack, or its substitute."""
    try:
        return "stack.watchdog" in process.cmdline()
    except psutil.Error:
        return False


def is_running(pid: int) -> bool:
    """Whether there is such a process, and it has not ended."""
    try:
        return _runs(psutil.Process(pid))
    except psutil.Error:
        return False


def end_processes(processes: Sequence[psutil.Process], patience_seconds: float) -> None:
    """Ask the processes to stop, and kill those that have not after a while."""
    _for_each(processes, psutil.Process.terminate)
    left = wait_for_end(processes, patience_seconds)
    _for_each(left, psutil.Process.kill)
    wait_for_end(left, patience_seconds)


def wait_for_end(processes: Sequence[psutil.Process], patience_seconds: float) -> list[psutil.Process]:
    """Wait until the processes have ended; returns those that still run after a while.

    A process that has ended counts as such although its parent has not collected its status:
    the first process of a container or of a virtual machine may take seconds for that, or never do it.
    """
    patience_ends = time.monotonic() + patience_seconds
    left = [process for process in processes if _runs(process)]
    while left and time.monotonic() < patience_ends:
        time.sleep(_LOOK_SECONDS)
        left = [process for process in left if _runs(process)]
    return left


def tree_memory_bytes(pid: int) -> int:
    """Memory of the process and its descendants, pages that they share counted once; 0 if it is gone."""
    try:
        root = psutil.Process(pid)
        family = [root, *root.children(recursive=True)]
    except psutil.Error:
        return 0
    return sum(_memory_bytes(process) for process in family)


def own_memory_bytes(pid: int) -> int:
    """Memory of the process alone; 0 if it is gone."""
    try:
        return _memory_bytes(psutil.Process(pid))
    except psutil.Error:
        return 0


def is_free(host: str, port: int) -> bool:
    """Whether a service can listen there.

    Raises:
        OSError: The address is not of this machine, or the port may not be used by this user.
    """
    family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    with socket.socket(family, kind, protocol) as probe:
        # As servers do: what is left of closed connections must not count as taken.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(address)
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                return False
            raise
    return True


@contextmanager
def reserved_ports(host: str, count: int) -> Iterator[list[int]]:
    """Different free ports, which nobody else gets while the block runs, neither by chance nor for a client.

    They are bound but not listened on. Linux lets a server listen on such a port if it sets SO_REUSEADDR,
    as all services of the stack do.
    """
    with ExitStack() as reservations:
        ports = []
        for _ in range(count):
            reservation = reservations.enter_context(socket.socket())
            reservation.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            reservation.bind((host, 0))
            ports.append(int(reservation.getsockname()[1]))
        yield ports


def free_port(host: str) -> int:
    """A port that is free right now."""
    with reserved_ports(host, 1) as [port]:
        return port


def holder_of(port: int) -> psutil.Process | None:
    """The process that listens on the port; None if it is not ours to know."""
    try:
        connections = psutil.net_connections(kind="tcp")
    except psutil.Error:
        return None
    for connection in connections:
        listens = (
            connection.status == psutil.CONN_LISTEN and connection.laddr and connection.laddr.port == port
        )
        if listens and connection.pid:
            try:
                return psutil.Process(connection.pid)
            except psutil.Error:
                return None
    return None


def described(process: psutil.Process) -> str:
    """The process for people: its id and the beginning of its command line."""
    try:
        command = " ".join(process.cmdline()) or process.name()
    except psutil.Error:
        command = "?"
    return f"process {process.pid} ({command[:120]})"


def _memory_bytes(process: psutil.Process) -> int:
    """Its own memory and its part of what it shares; all of both where the system does not tell."""
    try:
        memory = process.memory_full_info()
    except psutil.Error:
        return 0
    return int(getattr(memory, "pss", memory.rss))


def _runs(process: psutil.Process) -> bool:
    try:
        return process.is_running() and bool(process.status() != psutil.STATUS_ZOMBIE)
    except psutil.Error:
        return False


def _for_each(processes: Iterable[psutil.Process], act: Callable[[psutil.Process], None]) -> None:
    for process in processes:
        try:
            act(process)
        except psutil.Error:
            continue
