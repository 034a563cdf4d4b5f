"""The components of the system: what the watchdog reports of them, for Prometheus and as JSON."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, Literal

import msgspec
from prometheus_client.metrics_core import Metric

from monitoring.exporter import metrics
from stack.health_report import HealthReport, HealthState, ServiceHealth, read_report

State = Literal["starting", "up", "failing", "restarting", "stopped", "unknown"]
STATES: Final[tuple[State, ...]] = ("starting", "up", "failing", "restarting", "stopped", "unknown")


class Component(msgspec.Struct, frozen=True):
    """One component, as `GET /components` shows it.

    Attributes:
        name: The service.
        state: What it is doing; `unknown` where the watchdog does not report.
        reason: Why it is not up; empty if it is.
        since: When it came into this state.
        restarts: How often it was restarted since the stack was started.
        last_failure_at: When it last failed; None if never.
        last_failure_reason: Why; None if never.
        address: Where it listens.
    """

    name: str
    state: State
    reason: str
    since: datetime
    restarts: int
    last_failure_at: datetime | None
    last_failure_reason: str | None
    address: str


class Components(msgspec.Struct, frozen=True):
    """The answer of `GET /components`; `checked_at` is None where the watchdog has never reported."""

    checked_at: datetime | None
    components: list[Component]


def read_components(path: Path, now: datetime) -> Components:
    """What was reported last. Where a watchdog is silent, its components are unknown, whatever they were.

    Args:
        path: The watchdog's report. In a folder of the same name without suffix, each container leaves a
            report on its own service.
        now: The present moment.
    """
    reports = read_reports(path)
    # If two report on the same component, as after a change of settings, the newer report counts.
    by_age = sorted(reports, key=lambda report: report.checked_at)
    newest = {name: report for report in by_age for name in report.services}
    return Components(
        checked_at=by_age[-1].checked_at if by_age else None,
        components=[
            one for report in reports for one in _components(report, now) if newest[one.name] is report
        ],
    )


def read_reports(path: Path) -> Sequence[HealthReport]:
    """The watchdog's report, if there is one, and those in the folder of the same name without suffix."""
    paths = [path, *sorted(path.with_suffix("").glob(f"*{path.suffix}"))]
    return [report for report in map(read_report, paths) if report is not None]


def _components(report: HealthReport, now: datetime) -> list[Component]:
    silence = now - report.checked_at
    is_silent = report.is_silent(now)
    return [_component(name, one, silence if is_silent else None) for name, one in report.services.items()]


def _component(name: str, reported: ServiceHealth, silence: timedelta | None) -> Component:
    # A container that was stopped reports that as its last word.
    is_unknown = silence is not None and reported.state is not HealthState.STOPPED
    return Component(
        name=name,
        state="unknown" if is_unknown else reported.state.value,
        reason=f"The watchdog has not reported for {silence.total_seconds():.0f} s."
        if silence is not None and is_unknown
        else reported.reason,
        since=reported.since,
        restarts=reported.restarts,
        last_failure_at=reported.last_failure_at,
        last_failure_reason=reported.last_failure_reason,
        address=reported.address,
    )


class ComponentStates:
    """The states of the components as metrics."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __call__(self) -> Sequence[Metric]:
        """Looks once.

        Raises:
            FileNotFoundError: The watchdog has never reported.
        """
        found = read_components(self._path, datetime.now(UTC))
        if found.checked_at is None:
            raise FileNotFoundError(self._path)
        components = found.components
        return [
            metrics.COMPONENT_UP.family(((one.name,), float(one.state == "up")) for one in components),
            metrics.COMPONENT_STATE.family(
                ((one.name, state), float(one.state == state)) for one in components for state in STATES
            ),
            metrics.COMPONENT_SINCE.family(((one.name,), one.since.timestamp()) for one in components),
            metrics.COMPONENT_RESTARTS.family(((one.name,), one.restarts) for one in components),
        ]
