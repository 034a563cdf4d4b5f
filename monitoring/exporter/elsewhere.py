"""Checks ClickHouse and the broker where no watchdog does: in images of their makers, and on other machines.

The exporter leaves its report beside those of the watchdogs, so that these servers have the same metrics,
alerts and place in the panel as services that the stack keeps.
"""

import logging
import threading
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from msgspec import structs

from clickstream.settings import Settings
from stack.health_report import HealthReport, HealthState, ServiceHealth, read_report, write_report
from stack.paths import StackPaths
from stack.patience import patience
from stack.probes import Probe, clickhouse_selects, kafka_serves
from stack.services import clickhouse_is_elsewhere

_log: Final = logging.getLogger(__name__)
_LONGEST_SECONDS: Final = 25.0
"""A check ends well before the report of the one before is too old to be believed."""


def foreign_servers(settings: Settings) -> Mapping[str, tuple[Probe, str]]:
    """How to check each server that no watchdog checks, and its address, by the name of the component."""
    found: dict[str, tuple[Probe, str]] = {}
    clickhouse = settings.clickhouse
    if clickhouse_is_elsewhere(settings):
        found["clickhouse"] = (clickhouse_selects, f"{clickhouse.host}:{clickhouse.port}")
    if settings.broker.external_servers:
        found["kafka"] = (kafka_serves, settings.broker.external_servers)
    return found


class ForeignServer(threading.Thread):
    """Checks one server again and again, and reports on it."""

    def __init__(self, name: str, probe: Probe, address: str, settings: Settings) -> None:
        super().__init__(name=f"check-{name}", daemon=True)
        self._component = name
        self._probe = probe
        self._address = address
        self._settings = settings
        self._stopping = threading.Event()
        self._path: Final[Path] = StackPaths(settings.stack.data_path).health.with_suffix("") / f"{name}.json"

    def run(self) -> None:
        """Checks until it is stopped."""
        while not self._stopping.is_set():
            try:
                self.check_once()
            except Exception as error:
                # Such as a full disk. The text of an error may quote a statement; its kind says enough.
                _log.warning("%s can't be checked: %s", self._component, type(error).__name__)
            self._stopping.wait(self._settings.stack.health_check_seconds)

    def check_once(self) -> None:
        """Checks, and writes down what was found."""
        timeout = min(self._settings.stack.health_timeout_seconds * patience(), _LONGEST_SECONDS)
        problem = self._probe(self._settings, self._address, timeout)
        report = read_report(self._path)
        before = report.services.get(self._component) if report else None
        found = self._next(before, problem.text if problem else "", datetime.now(UTC))
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_report(self._path, HealthReport(datetime.now(UTC), {self._component: found}))

    def stop(self) -> None:
        """Ends the thread soon."""
        self._stopping.set()

    def _next(self, before: ServiceHealth | None, reason: str, now: datetime) -> ServiceHealth:
        state = HealthState.FAILING if reason else HealthState.UP
        if before is not None and before.state is state:
            return structs.replace(before, reason=reason, address=self._address)
        found = ServiceHealth(state, reason, now, address=self._address)
        if reason:
            return structs.replace(found, last_failure_at=now, last_failure_reason=reason)
        if before is None:
            return found
        return structs.replace(
            found, last_failure_at=before.last_failure_at, last_failure_reason=before.last_failure_reason
        )
