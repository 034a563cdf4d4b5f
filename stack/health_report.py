"""What the watchdog knows of the services, as a file that others read: `run/health.json`."""

from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Final

import msgspec

from stack.resource_use import ResourceUse

_SILENT_AFTER: Final = timedelta(seconds=60)


class HealthState(StrEnum):
    """The state of a service."""

    STARTING = "starting"
    UP = "up"
    FAILING = "failing"
    RESTARTING = "restarting"
    STOPPED = "stopped"


class ServiceHealth(msgspec.Struct):
    """What is known of one service.

    Attributes:
        state: Its state.
        reason: Why it is not up; empty if it is.
        since: When it came into this state.
        restarts: How often it was started again since the stack was started, by itself or by the watchdog.
        last_failure_at: When it last died or failed a check after it had been healthy; null if never.
        last_failure_reason: What happened then.
        address: Where it is reached.
        pid: Its process; 0 if it does not run.
    """

    state: HealthState
    reason: str
    since: datetime
    restarts: int = 0
    last_failure_at: datetime | None = None
    last_failure_reason: str | None = None
    address: str = ""
    pid: int = 0


class HealthReport(msgspec.Struct):
    """The services at one moment.

    Attributes:
        checked_at: The moment.
        services: What is known of each, by name.
        supervisor_pid: The supervisor's process; 0 where there is none, as in a container.
        use: What the services use, by name, as a container measures it; without Docker the exporter does.
    """

    checked_at: datetime
    services: dict[str, ServiceHealth]
    supervisor_pid: int = 0
    use: dict[str, ResourceUse] = {}

    @property
    def age_seconds(self) -> float:
        """How long ago that moment was."""
        return (datetime.now(UTC) - self.checked_at).total_seconds()

    def is_silent(self, now: datetime) -> bool:
        """Whether it is so old that nobody can be looking after the services any more."""
        return now - self.checked_at > _SILENT_AFTER


def read_report(path: Path) -> HealthReport | None:
    """The report; None if there is none that can be read."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=HealthReport)
    except (OSError, msgspec.DecodeError):
        return None


def write_report(path: Path, report: HealthReport) -> None:
    """Write the report, all of it or nothing."""
    unfinished = path.with_suffix(".unfinished")
    unfinished.write_bytes(msgspec.json.format(msgspec.json.encode(report), indent=2) + b"\n")
    unfinished.replace(path)
