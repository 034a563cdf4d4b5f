"""Looks after the services: restarts those that run without doing their work, and reports the state of all.

The supervisor itself restarts what dies. Each service is checked by a thread of its own, so that one that
answers slowly holds up no other. What is known goes into `run/health.json`. When the supervisor itself was
killed, the watchdog brings it back, and the services with it.
"""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, NoReturn

from supervisor.states import ProcessStates

from clickstream import logs
from clickstream.errors import ClickstreamError, ServiceUnavailableError
from clickstream.settings import PROJECT_ROOT, Settings, get_settings
from stack.health_report import HealthReport, HealthState, ServiceHealth, read_report, write_report
from stack.paths import StackPaths
from stack.processes import is_running
from stack.service_watch import ServiceWatch, log
from stack.services import MAIN_PYTHON, Service, chosen_services
from stack.supervision import ALIVE_STATES, WATCHDOG, ProcessInfo, Supervisor

LOOK_SECONDS: Final = 0.5
STAND_BY_SECONDS: Final = 30.0
WRITE_SECONDS: Final = 5.0
"""The report is written this often though nothing has changed, so that readers see that somebody looks."""


class Watchdog:
    """What is known of all services."""

    def __init__(
        self,
        services: Sequence[Service],
        settings: Settings,
        before: HealthReport | None,
        supervisor_pid: int = 0,
    ) -> None:
        """Go on from what an earlier watchdog reported.

        Args:
            services: What to look after.
            settings: The stack's settings.
            before: The report of the watchdog before this one; None for the first.
            supervisor_pid: The supervisor's process.
        """
        self._settings = settings
        self._supervisor_pid = supervisor_pid
        self._watches = {service.name: ServiceWatch(service, settings) for service in services}
        self._known = dict(before.services) if before else {}
        # Services that an earlier supervisor took with it when it was killed.
        self._orphans = set(self._watches) if before and before.supervisor_pid != supervisor_pid else set()

    def start(self) -> None:
        """Begin to check, with one thread per service."""
        for name, watch in self._watches.items():
            threading.Thread(target=watch.run, name=f"watch-{name}", daemon=True).start()

    def look(self, processes: dict[str, ProcessInfo]) -> HealthReport:
        """Note the state of the processes, and return what is known now."""
        now = datetime.now(UTC)
        for name, watch in self._watches.items():
            info = processes.get(name)
            watch.process = info
            self._known[name] = self._next(name, watch, info, now)
            if info is not None and info.pid:
                self._orphans.discard(name)
        return HealthReport(now, {name: self._known[name] for name in self._watches}, self._supervisor_pid)

    def _next(self, name: str, watch: ServiceWatch, info: ProcessInfo | None, now: datetime) -> ServiceHealth:
        state, reason = _state(watch, info)
        pid = info.pid if info else 0
        before = self._known.get(name) or ServiceHealth(HealthState.STOPPED, "", now)
        has_new_process = pid != 0 and before.pid not in {0, pid} and before.state is not HealthState.STOPPED
        has_died = state is HealthState.RESTARTING or has_new_process
        failure, failed_at = "", now
        if has_died and before.state is not HealthState.RESTARTING:
            was_ended = f"the supervisor was killed, and process {before.pid} was ended with it"
            failure = was_ended if name in self._orphans else _death(before.pid, watch, info)
            failed_at = _ended_at(info, now) if has_new_process else now
        elif state is HealthState.FAILING and before.state is HealthState.UP:
            failure = reason
        return ServiceHealth(
            state=state,
            reason=reason,
            since=before.since if before.state is state and not has_new_process else now,
            restarts=before.restarts + has_new_process,
            last_failure_at=failed_at if failure else before.last_failure_at,
            last_failure_reason=failure or before.last_failure_reason,
            address=watch.service.shown_address(self._settings),
            # Until there is a new one, that of the last life, so that the next one counts as a restart.
            pid=pid or before.pid,
        )


def _state(watch: ServiceWatch, info: ProcessInfo | None) -> tuple[HealthState, str]:
    if info is None or info.state in {ProcessStates.STOPPED, ProcessStates.FATAL, ProcessStates.UNKNOWN}:
        return HealthState.STOPPED, info.trouble if info else "the stack was started without it"
    if info.state not in ALIVE_STATES:
        return HealthState.RESTARTING, watch.restart_reason or info.trouble or "its process has ended"
    if watch.restart_reason:
        return HealthState.RESTARTING, watch.restart_reason
    problem, was_healthy = watch.verdict(info.pid)
    if problem is None:
        return (HealthState.UP, "") if was_healthy else (HealthState.STARTING, "not checked yet")
    is_starting = not was_healthy and time.time() - info.started_at < watch.start_timeout_seconds
    return (HealthState.STARTING if is_starting else HealthState.FAILING), problem


def _ended_at(info: ProcessInfo | None, now: datetime) -> datetime:
    """When the process before this one ended, which is noticed only now: no later than this one's start."""
    started_at = info.started_at if info else 0
    return min(now, datetime.fromtimestamp(started_at, UTC)) if started_at else now


def _death(pid: int, watch: ServiceWatch, info: ProcessInfo | None) -> str:
    """Why a process is not there any more, if that is known."""
    if watch.restart_reason:
        return watch.restart_reason
    code = info.exit_code if info and info.pid == 0 else 0
    how = "was killed" if code == -1 else f"ended with exit code {code}" if code else "ended unexpectedly"
    return f"process {pid} {how}"


def watch() -> NoReturn:
    """Look after the services for as long as the supervisor is there; without it, bring it back."""
    settings = get_settings()
    paths = StackPaths(settings.stack.data_path)
    supervisor = Supervisor(paths)
    supervisor_pid = supervisor.recorded_pid()
    if supervisor_pid is None:
        sys.exit("The supervisor was stopped; there is nothing to watch.")
    own_pid = os.getpid()
    substitute = os.fork()
    if substitute == 0:
        stand_by(supervisor, supervisor_pid, own_pid)
    watchdog = Watchdog(chosen_services(settings), settings, read_report(paths.health), supervisor_pid)
    watchdog.start()
    written, written_at = None, 0.0
    while True:
        if os.waitpid(substitute, os.WNOHANG) != (0, 0):
            # With threads running, this process can't make another one.
            log(f"The substitute (process {substitute}) has died: ending, to be started again with another.")
            sys.exit(1)
        try:
            report = watchdog.look(supervisor.processes())
        except ClickstreamError as error:
            if isinstance(error, ServiceUnavailableError) and not is_running(supervisor_pid):
                revive(paths.log_of(WATCHDOG), supervisor_pid)
            log(str(error))
        else:
            if report.services != written or time.monotonic() - written_at >= WRITE_SECONDS:
                try_to_write(paths.health, report)
                written, written_at = report.services, time.monotonic()
        time.sleep(LOOK_SECONDS)


def try_to_write(path: Path, report: HealthReport) -> None:
    """Write the report if that is possible: on a full disk, looking after the services matters more."""
    try:
        write_report(path, report)
    except OSError as error:
        log(f"The report {path} can't be written: {error.strerror}.")


def stand_by(supervisor: Supervisor, supervisor_pid: int, watchdog_pid: int) -> NoReturn:
    """Take the watchdog's place should it be killed together with the supervisor; ends the process."""
    while os.getppid() == watchdog_pid:
        time.sleep(LOOK_SECONDS)
    # The supervisor starts another watchdog, which has its own substitute.
    patience_ends = time.monotonic() + STAND_BY_SECONDS
    while time.monotonic() < patience_ends and supervisor.recorded_pid() == supervisor_pid:
        if not is_running(supervisor_pid):
            revive(supervisor.paths.log_of(WATCHDOG), supervisor_pid)
        time.sleep(LOOK_SECONDS)
    sys.exit()


def revive(log_file: Path, supervisor_pid: int) -> NoReturn:
    """Have the supervisor and the services started again, with a watchdog of their own, and end.

    Another process does it, and is started again if it is killed; if this one is killed, it goes on.
    """
    # Standard output led to the supervisor.
    descriptor = os.open(log_file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    os.dup2(descriptor, sys.stdout.fileno())
    os.dup2(descriptor, sys.stderr.fileno())
    log(f"The supervisor (process {supervisor_pid}) has died: starting it and the services again.")
    command = (str(MAIN_PYTHON), "-m", "stack", "revive")
    while subprocess.run(command, cwd=PROJECT_ROOT, stdin=subprocess.DEVNULL, check=False).returncode != 0:
        log("That was not possible; trying again.")
        time.sleep(LOOK_SECONDS)
    sys.exit()


if __name__ == "__main__":
    logs.configure(WATCHDOG)
    watch()
