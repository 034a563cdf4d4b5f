"""The drill from its start to its verdict."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from clickstream.cli.runs import process_pending
from clickstream.errors import ClickstreamError
from monitoring.alerts.rules import render
from monitoring.drill.alerts import AlertWatch, Outcome, wait_for_calm
from monitoring.drill.csv_flow import CsvFlow
from monitoring.drill.faults import injected
from monitoring.drill.flow import Flow, problems_of_data, stored_events
from monitoring.drill.kills import kill_at_random, wait_for_recovery
from monitoring.drill.scenarios import SCENARIOS, THRESHOLDS, Scenario
from monitoring.prometheus_api import PrometheusApi
from stack.env_file import variable_of
from stack.isolated import isolated_stack
from stack.lifecycle import Stack

SERVICES: Final = ("api", "mage", "stream_events", "generator", "exporter", "node_exporter", "prometheus")

PAGES: Final = ("panel", "superset")
"""What only `make drill` runs in addition: nothing depends on them, and they take their time to start."""

RATE_PER_SECOND: Final = 50.0
"""Events that flow during the drill."""

_FIRE_SECONDS: Final = 240.0
_RESOLVE_SECONDS: Final = 300.0
_SETTLE_SECONDS: Final = 300.0

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Plan:
    """What a drill does.

    Attributes:
        scenarios: The faults, one after the other.
        kill_seconds: How long processes are killed at random afterwards.
        seed: What chance depends on.
    """

    scenarios: Sequence[Scenario] = SCENARIOS
    kill_seconds: float = 180.0
    seed: int = 1

    @property
    def longest_seconds(self) -> float:
        """The drill ends within this, whatever happens."""
        return (
            len(self.scenarios) * (_FIRE_SECONDS + _RESOLVE_SECONDS) + self.kill_seconds + 5 * _SETTLE_SECONDS
        )


@dataclass(slots=True)
class Verdict:
    """What the drill found.

    Attributes:
        outcomes: What each fault led to.
        kills: How many processes were killed at random.
        acknowledged: How many events were acknowledged.
        problems: What else was wrong, besides the alerts.
    """

    outcomes: list[Outcome] = field(default_factory=list)
    kills: int = 0
    acknowledged: int = 0
    problems: list[str] = field(default_factory=list)

    @property
    def is_good(self) -> bool:
        """Whether all alerts and all data are right."""
        return not self.problems and not any(outcome.problems for outcome in self.outcomes)


def run_drill(directory: Path, plan: Plan, say: Say) -> Verdict:
    """Start a stack, break it in every way of the plan, and judge.

    Args:
        directory: An empty directory; the logs stay there.
        plan: What is done.
        say: Is told what happens.
    """
    with drill_stack(directory, (*SERVICES, *PAGES)) as stack:
        return drill_on(stack, plan, say)


@contextmanager
def drill_stack(directory: Path, services: Sequence[str] = SERVICES) -> Iterator[Stack]:
    """A stack whose alerts have the drill's thresholds, and which looks more often than usual."""
    rules = directory / "alerts.yaml"
    rules.write_text(render(THRESHOLDS), encoding="utf-8")
    overrides = {
        variable_of("monitoring", "alerts_file"): str(rules),
        variable_of("monitoring", "scrape_interval_seconds"): "5",
        variable_of("monitoring", "warehouse_interval_seconds"): "5",
    }
    with isolated_stack(directory, services, overrides) as stack:
        yield stack


def drill_on(stack: Stack, plan: Plan, say: Say) -> Verdict:
    """Break a stack of `drill_stack` in every way of the plan, and judge; it runs again afterwards."""
    return _Drill(stack, plan, say).run()


class _Drill:
    def __init__(self, stack: Stack, plan: Plan, say: Say) -> None:
        self._stack = stack
        self._plan = plan
        self._say = say
        self._api = PrometheusApi.of(stack.settings.monitoring)
        self._verdict = Verdict()
        self._stored_before = 0

    def run(self) -> Verdict:
        """All faults, then the kills, then the check of the data."""
        # Otherwise what others have sent before would be processed, and counted, during the drill.
        process_pending(self._stack.settings)
        self._stored_before = stored_events(self._stack.settings)
        flow = Flow(self._stack.settings, RATE_PER_SECOND, self._plan.seed)
        files = CsvFlow(self._stack.settings, self._stack.paths.data / "drill", self._plan.seed, self._say)
        flow.start()
        try:
            self._wait_for_calm("at the start")
            for scenario in self._plan.scenarios:
                self._verdict.outcomes.append(self._inject(scenario))
            if self._plan.kill_seconds:
                files.start()
                self._kill()
        finally:
            is_loaded = files.end(_SETTLE_SECONDS)
            is_acknowledged = flow.end(_SETTLE_SECONDS)
        if not is_loaded:
            self._verdict.problems.append(f"a CSV file is not loaded within {_SETTLE_SECONDS:.0f} s")
        if not is_acknowledged:
            self._verdict.problems.append(f"events are not acknowledged within {_SETTLE_SECONDS:.0f} s")
        sent, valid = (sum(counts) for counts in zip(flow.acknowledged(), files.loaded(), strict=True))
        self._verdict.acknowledged = sent
        self._judge_data(valid)
        self._api.close()
        return self._verdict

    def _inject(self, scenario: Scenario) -> Outcome:
        watch = AlertWatch(self._api, scenario)
        with injected(self._stack, scenario):
            watch.wait_for_must(_FIRE_SECONDS)
        watch.wait_for_silence(_RESOLVE_SECONDS)
        outcome = watch.outcome
        fired = ", ".join(
            f"{name} after {seconds:.0f} s" if seconds >= 0 else f"{name} later"
            for name, seconds in outcome.fired_after.items()
        )
        resolved = (
            f"resolved {outcome.resolved_after:.0f} s after its end"
            if outcome.resolved_after
            else "not resolved"
        )
        self._say(f"{scenario.name}: {fired or 'no alert'}; {resolved}.")
        for problem in outcome.problems:
            self._say(f"  WRONG: {problem}")
        return outcome

    def _kill(self) -> None:
        kills = kill_at_random(self._stack, self._plan.kill_seconds, self._plan.seed, self._say)
        self._verdict.kills = kills.processes.total()
        counts = ", ".join(f"{name} {count}" for name, count in sorted(kills.processes.items()))
        self._say(f"Killed at random for {self._plan.kill_seconds:.0f} s: {counts or 'nothing'}.")
        self._verdict.problems += wait_for_recovery(self._stack, kills, _SETTLE_SECONDS)
        self._wait_for_calm("after the kills")

    def _wait_for_calm(self, when: str) -> None:
        if firing := wait_for_calm(self._api, _SETTLE_SECONDS):
            self._verdict.problems.append(f"{', '.join(sorted(firing))} fire {when}")

    def _judge_data(self, valid: int) -> None:
        valid += self._stored_before
        deadline = time.monotonic() + _SETTLE_SECONDS
        problems: Sequence[str] = ["the data could not be read"]
        # The stream may still be storing what was acknowledged last.
        while problems and time.monotonic() < deadline:
            try:
                process_pending(self._stack.settings)
                problems = problems_of_data(self._stack.settings, valid)
            except ClickstreamError as error:
                problems = [str(error)]
            time.sleep(1)
        self._verdict.problems += problems
