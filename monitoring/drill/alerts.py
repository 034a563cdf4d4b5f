"""Waits for alerts with a clock in hand."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from clickstream.errors import ClickstreamError
from monitoring.drill.scenarios import Scenario
from monitoring.prometheus_api import PrometheusApi

_POLL_SECONDS: Final = 1.0
_PENDING_SECONDS: Final = 90.0


@dataclass(slots=True)
class Outcome:
    """What a fault led to.

    Attributes:
        scenario: The fault and its component.
        fired_after: Seconds from the fault until each alert fired; negative if it fired
            only after all that must had fired.
        resolved_after: Seconds from the end of the fault until no alert fired; None if some still did.
        problems: What was wrong; empty if nothing was.
    """

    scenario: Scenario
    fired_after: dict[str, float] = field(default_factory=dict)
    resolved_after: float | None = None
    problems: list[str] = field(default_factory=list)


class AlertWatch:
    """The alerts of a stack during one scenario."""

    def __init__(self, api: PrometheusApi, scenario: Scenario) -> None:
        self._api = api
        self.outcome = Outcome(scenario)

    def wait_for_must(self, seconds: float) -> None:
        """Wait until all alerts that must fire have fired, and note all that did."""
        began = time.monotonic()
        scenario = self.outcome.scenario

        def is_complete() -> bool:
            for name in self._alerts("firing"):
                self.outcome.fired_after.setdefault(name, time.monotonic() - began)
            return scenario.is_complete(self.outcome.fired_after.keys())

        if not _until(is_complete, seconds):
            missing = ", ".join(sorted((scenario.must | scenario.one_of) - self.outcome.fired_after.keys()))
            self.outcome.problems.append(f"{missing} did not fire within {seconds:.0f} s")

    def wait_for_silence(self, seconds: float) -> None:
        """Wait until no alert fires or is about to; alerts that fired but must not are problems.

        Otherwise, a pending alert would fire during the next fault. On a machine that is too busy some are
        always pending, so the time for that is bounded.
        """
        began = time.monotonic()
        outcome = self.outcome

        def is_silent() -> bool:
            firing = self._alerts("firing")
            for name in firing:
                outcome.fired_after.setdefault(name, -1.0)
            if firing:
                outcome.resolved_after = None
            elif outcome.resolved_after is None:
                outcome.resolved_after = time.monotonic() - began
            if outcome.resolved_after is None:
                return False
            is_late = time.monotonic() - began - outcome.resolved_after > _PENDING_SECONDS
            return is_late or not self._alerts("pending")

        if not _until(is_silent, seconds) and outcome.resolved_after is None:
            self.outcome.problems.append(
                f"{', '.join(sorted(self._alerts('firing')))} still fire after {seconds:.0f} s"
            )
        if others := self.outcome.fired_after.keys() - self.outcome.scenario.allowed:
            self.outcome.problems.append(f"{', '.join(sorted(others))} fired but must not")

    def _alerts(self, state: str) -> frozenset[str]:
        try:
            return frozenset(alert.name for alert in self._api.alerts() if alert.state == state)
        except ClickstreamError:
            # A busy machine answers late; the next poll will tell.
            return frozenset(self.outcome.scenario.must & self.outcome.fired_after.keys())


def wait_for_calm(api: PrometheusApi, seconds: float) -> frozenset[str]:
    """Wait until no alert fires; returns those that still do."""
    firing: frozenset[str] = frozenset()

    def is_calm() -> bool:
        nonlocal firing
        try:
            firing = api.firing()
        except ClickstreamError:
            return False
        return not firing

    return frozenset() if _until(is_calm, seconds) else firing


def _until(condition: Callable[[], bool], seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(_POLL_SECONDS)
    return True
