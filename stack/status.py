"""Describes the services of a stack as they are right now."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum

import psutil
from supervisor.states import ProcessStates

from clickstream.errors import ServiceUnavailableError
from stack.health import check_health
from stack.health_report import HealthReport, HealthState, ServiceHealth, read_report
from stack.lifecycle import Stack
from stack.patience import patience
from stack.processes import own_memory_bytes, processes_of, tree_memory_bytes
from stack.services import Service
from stack.supervision import ALIVE_STATES, WATCHDOG, ProcessInfo

SUPERVISOR = "supervisor"
SILENT_SECONDS = 30.0
"""The watchdog reports every few seconds; silence of this length means that it hangs."""


_STATES_AFTER_START = frozenset({HealthState.UP, HealthState.FAILING})
"""The watchdog calls a process so once it has seen it healthy, or once the time of its start is over."""


class ServiceState(StrEnum):
    """What a service is doing."""

    UP = "up"
    STARTING = "starting"
    FAILING = "failing"
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
        restarts: How often it was started again since the stack was started.
        last_failure_at: When it last died or failed a check; None if never.
        last_failure_reason: What happened then; empty if nothing did.
    """

    name: str
    state: ServiceState
    detail: str
    address: str
    pid: int | None
    memory_bytes: int
    since: datetime | None
    restarts: int = 0
    last_failure_at: datetime | None = None
    last_failure_reason: str = ""


def stack_status(stack: Stack) -> list[ServiceStatus]:
    """The status of every service, and of the supervisor at the end."""
    try:
        processes = stack.supervisor.processes()
        supervisor_pid = stack.supervisor.pid()
    except ServiceUnavailableError:
        return [_unsupervised(service, stack) for service in stack.services] + [_stopped_supervisor()]
    report = read_report(stack.paths.health)

    def describe(service: Service) -> ServiceStatus:
        return _supervised(service, processes.get(service.name), stack, report)

    # Side by side: one that does not answer must not hold up the others.
    with ThreadPoolExecutor(max_workers=len(stack.services)) as threads:
        rows = list(threads.map(describe, stack.services))
    return [*rows, _supervisor_row(supervisor_pid, processes[WATCHDOG].pid, report)]


def _supervised(
    service: Service, info: ProcessInfo | None, stack: Stack, report: HealthReport | None
) -> ServiceStatus:
    if info is None:
        return _row(service, stack, ServiceState.STOPPED, "the stack was started without it")
    known = report.services.get(service.name) if report else None
    if (started := stack.moved_services().get(service.name)) is not None:
        return _moved(service, info, stack, known, started)
    state, detail = _state(service, info, stack, known)
    row = _row(service, stack, state, detail, info.pid or None)
    if known is None:
        return row
    return replace(
        row,
        restarts=known.restarts,
        last_failure_at=known.last_failure_at,
        last_failure_reason=known.last_failure_reason or "",
    )


def _moved(
    service: Service, info: ProcessInfo, stack: Stack, known: ServiceHealth | None, started: str
) -> ServiceStatus:
    """A service that listens elsewhere than the settings say: as the watchdog, started with it, found it."""
    if known is None:
        row = _row(service, stack, ServiceState.STARTING, "not checked yet", info.pid or None)
        return replace(row, address=started)
    row = _row(service, stack, ServiceState(known.state.value), known.reason, info.pid or None)
    return replace(
        row,
        address=known.address or started,
        restarts=known.restarts,
        last_failure_at=known.last_failure_at,
        last_failure_reason=known.last_failure_reason or "",
    )


def _state(
    service: Service, info: ProcessInfo, stack: Stack, known: ServiceHealth | None
) -> tuple[ServiceState, str]:
    if info.state in ALIVE_STATES:
        problem = check_health(service, stack.settings)
        if problem is None:
            return ServiceState.UP, ""
        age = datetime.now(UTC).timestamp() - info.started_at
        timeout = service.start_timeout_seconds or stack.settings.stack.start_timeout_seconds
        was_healthy = known is not None and known.pid == info.pid and known.state in _STATES_AFTER_START
        is_starting = age < timeout * patience() and not was_healthy
        return (ServiceState.STARTING if is_starting else ServiceState.FAILING), problem.text
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
    detail = "its supervisor was killed; `make up` starts it again, `make down` ends it"
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


def _supervisor_row(pid: int, watchdog_pid: int, report: HealthReport | None) -> ServiceStatus:
    """The supervisor and its watchdog."""
    memory = own_memory_bytes(pid) + (own_memory_bytes(watchdog_pid) if watchdog_pid else 0)
    state, detail = ServiceState.UP, ""
    if not watchdog_pid:
        state, detail = ServiceState.FAILING, "its watchdog does not run: `make up` starts it"
    elif report and report.age_seconds > SILENT_SECONDS * patience():
        state = ServiceState.FAILING
        detail = f"its watchdog has not looked after the services for {report.age_seconds:.0f} s"
    return ServiceStatus(SUPERVISOR, state, detail, "", pid, memory, _started_at(pid))


def _stopped_supervisor() -> ServiceStatus:
    return ServiceStatus(SUPERVISOR, ServiceState.STOPPED, "", "", None, 0, None)


def _started_at(pid: int | None) -> datetime | None:
    try:
        return datetime.fromtimestamp(psutil.Process(pid).create_time(), UTC) if pid else None
    except psutil.Error:
        return None
