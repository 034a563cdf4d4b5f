"""Restarts services that are alive but do not answer; the supervisor itself restarts those that die."""

import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from clickstream.errors import ClickstreamError, ServiceUnavailableError
from clickstream.settings import Settings, get_settings
from stack.health import health_problem
from stack.paths import StackPaths
from stack.services import Service, chosen_services
from stack.supervision import ALIVE_STATES, DEAD_STATES, Supervisor


@dataclass
class HealthRecord:
    """What is known about one life of a service; decides when patience ends.

    Attributes:
        start_timeout_seconds: So long after its start a service that was never healthy is left in peace.
        failures_allowed: So many checks in a row must fail until it is restarted.
    """

    start_timeout_seconds: float
    failures_allowed: int
    _was_healthy: bool = False
    _pid: int = 0
    _failures: int = 0

    def has_seen_healthy(self, pid: int) -> bool:
        """Whether this very process has been seen healthy."""
        return pid == self._pid and self._was_healthy

    def must_restart(self, pid: int, age_seconds: float, problem: str | None) -> bool:
        """Take in one health check of the process, and say whether it must be restarted."""
        if pid != self._pid:
            self._pid, self._was_healthy, self._failures = pid, False, 0
        if problem is None:
            self._was_healthy, self._failures = True, 0
        elif self._was_healthy or age_seconds > self.start_timeout_seconds:
            self._failures += 1
        return self._failures >= self.failures_allowed


class Watchdog:
    """Checks the health of each service in turn."""

    def __init__(self, supervisor: Supervisor, services: Sequence[Service], settings: Settings) -> None:
        self._supervisor = supervisor
        self._services = services
        self._settings = settings
        self._records = {
            service.name: HealthRecord(
                service.start_timeout_seconds or settings.stack.start_timeout_seconds,
                settings.stack.health_failures_before_restart,
            )
            for service in services
        }

    def check_all(self) -> None:
        """Check every running service once, and restart those whose time is up."""
        processes = self._supervisor.processes()
        for service in self._services:
            info = processes[service.name]
            if info.state not in ALIVE_STATES:
                continue
            problem = health_problem(service, self._settings)
            record = self._records[service.name]
            was_seen = record.has_seen_healthy(info.pid)
            if record.must_restart(info.pid, time.time() - info.started_at, problem):
                log(f"{service.name} (process {info.pid}) {problem}, too often in a row: restarting it.")
                self._restart(service)
            elif not was_seen and record.has_seen_healthy(info.pid):
                log(f"{service.name} (process {info.pid}) is healthy.")

    def _restart(self, service: Service) -> None:
        self._supervisor.stop_process(service.name)
        while self._supervisor.processes()[service.name].state not in DEAD_STATES:
            time.sleep(0.1)
        self._supervisor.start_process(service.name)


def log(message: str) -> None:
    """Write one line into the watchdog's log."""
    print(f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S} {message}", flush=True)  # noqa: T201 -- the log is standard output


def watch() -> int:
    """Check for as long as the supervisor is there; gives the exit code."""
    settings = get_settings()
    supervisor = Supervisor(StackPaths(settings.stack.data_path))
    watchdog = Watchdog(supervisor, chosen_services(settings), settings)
    while True:
        try:
            watchdog.check_all()
        except ServiceUnavailableError as error:
            log(f"{error} Nothing is left to watch.")
            return 1
        except ClickstreamError as error:
            log(str(error))
        time.sleep(settings.stack.health_check_seconds)


if __name__ == "__main__":
    sys.exit(watch())
