"""One service under watch: its checks, and its restart when they fail for too long."""

import logging
import os
import signal
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from clickstream.settings import Settings
from stack.health import check_health
from stack.patience import patience
from stack.probes import Problem
from stack.processes import is_running
from stack.services import Service
from stack.supervision import ALIVE_STATES, ProcessInfo

_log: Final = logging.getLogger(__name__)
_STOP_POLL_SECONDS: Final = 0.1


@dataclass
class HealthRecord:
    """What is known about one life of a service; decides when patience ends.

    Attributes:
        start_timeout_seconds: How long after its start a service that was never healthy is left alone.
        failures_allowed: The number of checks that must fail in a row before it is restarted.
    """

    start_timeout_seconds: float
    failures_allowed: int
    _problem: str | None = None
    _was_healthy: bool = False
    _pid: int = 0
    _failures: int = 0
    _failing_since: float = 0.0

    def has_seen_healthy(self, pid: int) -> bool:
        """Whether this very process has been seen healthy."""
        return pid == self._pid and self._was_healthy

    def problem_of(self, pid: int) -> str | None:
        """What the last check of this very process found; None if it was healthy, or is not checked yet."""
        return self._problem if pid == self._pid else None

    def must_restart(self, pid: int, now: float, age_seconds: float, problem: Problem | None) -> bool:
        """Take in one health check of the process, and say whether it must be restarted.

        Args:
            pid: The process that was checked.
            now: The time, in seconds of any clock that only moves forward.
            age_seconds: How long the process has been running.
            problem: What the check found.
        """
        if pid != self._pid:
            self._pid, self._was_healthy, self._failures = pid, False, 0
        self._problem = problem.text if problem else None
        if problem is None:
            self._was_healthy, self._failures = True, 0
            return False
        if not problem.is_own:
            self._failures = 0
            return False
        if self._was_healthy or age_seconds > self.start_timeout_seconds:
            self._failing_since = now if self._failures == 0 else self._failing_since
            self._failures += 1
        lasted = now - self._failing_since
        return self._failures >= self.failures_allowed and lasted >= problem.lasts_seconds


class ServiceWatch:
    """Checks one service again and again.

    Attributes:
        service: The service.
        process: Its process as the supervisor last told it; set by the watchdog.
        restart_reason: Why it is being restarted right now; empty if it is not.
    """

    def __init__(self, service: Service, settings: Settings) -> None:
        self.service = service
        self.process: ProcessInfo | None = None
        self.restart_reason = ""
        self._settings = settings
        self._record = HealthRecord(
            service.start_timeout_seconds or settings.stack.start_timeout_seconds,
            settings.stack.health_failures_before_restart,
        )

    @property
    def start_timeout_seconds(self) -> float:
        """How long it may take to start."""
        return self._record.start_timeout_seconds * patience()

    def verdict(self, pid: int) -> tuple[str | None, bool]:
        """The problem that the last check of this process found, and whether it was ever healthy."""
        return self._record.problem_of(pid), self._record.has_seen_healthy(pid)

    def run(self) -> None:
        """Check for ever."""
        while True:
            info = self.process
            if info is not None and info.state in ALIVE_STATES and info.pid:
                try:
                    self._check(info)
                except Exception as error:
                    log(f"{self.service.name} can't be checked: {type(error).__name__}: {error}.")
            time.sleep(self._settings.stack.health_check_seconds)

    def _check(self, info: ProcessInfo) -> None:
        was_healthy = self._record.has_seen_healthy(info.pid)
        problem = check_health(self.service, self._settings)
        if problem is not None and not is_running(info.pid):
            # It has died, which the supervisor sees to.
            return
        age_seconds = (time.time() - info.started_at) / patience()
        name = f"{self.service.name} (process {info.pid})"
        if self._record.must_restart(info.pid, time.monotonic(), age_seconds, problem):
            reason = self._record.problem_of(info.pid) or ""
            log(f"{name} {reason}, too often in a row: restarting it.")
            self._restart(info.pid, reason)
        elif not was_healthy and self._record.has_seen_healthy(info.pid):
            log(f"{name} is healthy.")

    def _restart(self, pid: int, reason: str) -> None:
        """End the process; the supervisor starts it again, even if this process dies in between."""
        self.restart_reason = reason
        with suppress(ProcessLookupError):
            os.kill(pid, getattr(signal, f"SIG{self.service.stop_signal}"))
        patience_ends = time.monotonic() + self._stop_timeout_seconds
        while is_running(pid) and time.monotonic() < patience_ends:
            time.sleep(_STOP_POLL_SECONDS)
        with suppress(ProcessLookupError):
            # The supervisor makes each service the leader of a process group.
            os.killpg(pid, signal.SIGKILL)
        while is_running(pid) or (self.process is not None and self.process.pid == pid):
            time.sleep(_STOP_POLL_SECONDS)
        self.restart_reason = ""

    @property
    def _stop_timeout_seconds(self) -> float:
        return self.service.stop_timeout_seconds or self._settings.stack.stop_timeout_seconds


def log(message: str) -> None:
    """Write one line into the watchdog's log."""
    _log.info("%s", message)
