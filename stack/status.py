"""Describes the services of a stack as they are right now."""

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

import psutil
from supervisor.states import ProcessStates

from clickstream.errors import ServiceUnavailableError
from stack.health import health_problem
from stack.lifecycle import Stack
from stack.processes import own_memory_bytes, processes_of, tree_memory_bytes
from stack.services import Service
from stack.supervision import ALIVE_STATES, WATCHDOG, ProcessInfo

SUPERVISOR = "supervisor"


class ServiceState(StrEnum):
    """What a service is doing."""

    UP = "up"
    STARTING = "starting"
    UNHEALTHY = "unhealthy"
    RESTARTING = "restarting"
    STOPPING = "stopping"
    STOPPED = "stopped"
    LEFT_OVER = "left over"


@dataclass(frozen=True)
class ServiceStatus:
    """One row of the status table.

    Attributes:
        name: The service.
        state: What it is doing.
        detail: Why it is not up; empty if it is.
        address: Where people reach it; empty if they don't.
        pid: Its process id; None if it does not run.
        memory_bytes: Memory of it and its descendants.
        since: Start of its present life; None if it does not run.
    """

    name: str
    state: ServiceState
    detail: str
    address: str
    pid: int | None
    memory_bytes: int
    since: datetime | None


def stack_status(stack: Stack) -> list[ServiceStatus]:
    """The status of every service, and of the supervisor at the end."""
    try:
        processes = stack.supervisor.processes()
        supervisor_pid = stack.supervisor.pid()
    except ServiceUnavailableError:
        return [_unsupervised(service, stack) for service in stack.services] + [_stopped_supervisor()]
    rows = [_supervised(service, processes.get(service.name), stack) for service in stack.services]
    return [*rows, _supervisor_row(supervisor_pid, processes[WATCHDOG].pid)]


def _supervised(service: Service, info: ProcessInfo | None, stack: Stack) -> ServiceStatus:
    if info is None:
        return _row(service, stack, ServiceState.STOPPED, "the stack was started without it")
    state, detail = _state(service, info, stack)
    return _row(service, stack, state, detail, info.pid or None)


def _state(service: Service, info: ProcessInfo, stack: Stack) -> tuple[ServiceState, str]:
    if info.state in ALIVE_STATES:
        problem = health_problem(service, stack.settings)
        if problem is None:
            return ServiceState.UP, ""
        age = datetime.now(UTC).timestamp() - info.started_at
        timeout = service.start_timeout_seconds or stack.settings.stack.start_timeout_seconds
        return (ServiceState.STARTING if age < timeout else ServiceState.UNHEALTHY), problem
    if info.state == ProcessStates.BACKOFF:
        return ServiceState.RESTARTING, info.trouble or "ended soon after its start"
    if info.state == ProcessStates.STOPPING:
        return ServiceState.STOPPING, ""
    return ServiceState.STOPPED, info.trouble


def _unsupervised(service: Service, stack: Stack) -> ServiceStatus:
    """A service without a supervisor: stopped, or left running by a supervisor that was killed."""
    leftovers = processes_of(stack.paths.data, service.name)
    if not leftovers:
        return _row(service, stack, ServiceState.STOPPED, "")
    detail = "its supervisor was killed; `make up` starts it anew, `make down` ends it"
    return _row(service, stack, ServiceState.LEFT_OVER, detail, min(process.pid for process in leftovers))


def _row(
    service: Service, stack: Stack, state: ServiceState, detail: str, pid: int | None = None
) -> ServiceStatus:
    return ServiceStatus(
        name=service.name,
        state=state,
        detail=detail,
        address=service.shown_address(stack.settings),
        pid=pid,
        memory_bytes=tree_memory_bytes(pid) if pid else 0,
        since=_started_at(pid),
    )


def _supervisor_row(pid: int, watchdog_pid: int) -> ServiceStatus:
    memory = own_memory_bytes(pid) + (own_memory_bytes(watchdog_pid) if watchdog_pid else 0)
    return ServiceStatus(SUPERVISOR, ServiceState.UP, "", "", pid, memory, _started_at(pid))


def _stopped_supervisor() -> ServiceStatus:
    return ServiceStatus(SUPERVISOR, ServiceState.STOPPED, "", "", None, 0, None)


def _started_at(pid: int | None) -> datetime | None:
    try:
        return datetime.fromtimestamp(psutil.Process(pid).create_time(), UTC) if pid else None
    except psutil.Error:
        return None
