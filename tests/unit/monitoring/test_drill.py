"""The drill's table of faults, and how it judges the alerts of one."""

import pytest
import yaml

from monitoring.alerts.rules import ALERTS, read_thresholds, render
from monitoring.drill import alerts
from monitoring.drill.alerts import AlertWatch
from monitoring.drill.drill import PAGES
from monitoring.drill.drill import SERVICES as DRILLED
from monitoring.drill.scenarios import SCENARIOS, THRESHOLDS, Fault, Scenario
from monitoring.prometheus_api import Alert, PrometheusApi
from stack.services import SERVICES
from stack.supervision import WATCHDOG

ALERT_NAMES = {
    rule["alert"] for group in yaml.safe_load(ALERTS.read_text())["groups"] for rule in group["rules"]
}
each_scenario = pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)


@each_scenario
def test_a_scenario_names_a_component_and_alerts_that_exist(scenario: Scenario) -> None:
    assert scenario.component in {*(service.name for service in SERVICES), WATCHDOG}
    assert scenario.allowed <= ALERT_NAMES
    assert scenario.must or scenario.one_of


def test_each_fault_is_listed_once_and_every_component_has_one() -> None:
    names = [scenario.name for scenario in SCENARIOS]
    hit = {scenario.component for scenario in SCENARIOS}

    assert len(set(names)) == len(names)
    # Without Prometheus nobody could look at the alerts.
    assert {"clickhouse", "kafka", WATCHDOG, *DRILLED, *PAGES} - {"prometheus"} == hit


def test_the_drill_changes_thresholds_that_exist_and_no_rule() -> None:
    assert THRESHOLDS.keys() <= read_thresholds().keys()
    assert [
        rule["alert"] for group in yaml.safe_load(render(THRESHOLDS))["groups"] for rule in group["rules"]
    ] == [rule["alert"] for group in yaml.safe_load(ALERTS.read_text())["groups"] for rule in group["rules"]]


WAITS = " (waits)"


class Answers(PrometheusApi):
    """Returns one set of alerts after the other, and the last one forever."""

    def __init__(self, *moments: set[str]) -> None:
        super().__init__("http://127.0.0.1:9")
        self._moments = list(moments)

    def alerts(self) -> list[Alert]:
        names = self._moments.pop(0) if len(self._moments) > 1 else self._moments[0]
        states = {name.removesuffix(WAITS): "pending" if name.endswith(WAITS) else "firing" for name in names}
        return [Alert({"alertname": name}, {}, state, "") for name, state in states.items()]


SCENARIO = Scenario("kafka", Fault.STOP, frozenset({"ComponentDown"}), frozenset({"NoEvents"}))


def problems(*moments: set[str]) -> list[str]:
    watch = AlertWatch(Answers(*moments), SCENARIO)
    watch.wait_for_must(0)
    watch.wait_for_silence(0)
    return watch.outcome.problems


def test_an_alert_that_must_fire_and_resolves_is_right() -> None:
    assert problems({"ComponentDown", "NoEvents"}, set()) == []


@pytest.mark.parametrize(
    ("moments", "problem"),
    [
        pytest.param([set()], "ComponentDown did not fire within 0 s", id="silent"),
        pytest.param([{"ComponentDown"}], "ComponentDown still fire after 0 s", id="never resolved"),
        pytest.param(
            [{"ComponentDown", "MemoryLow"}, set()], "MemoryLow fired but must not", id="another one"
        ),
    ],
)
def test_the_drill_tells_what_is_wrong(moments: list[set[str]], problem: str) -> None:
    assert problem in problems(*moments)


def test_a_pending_alert_belongs_to_the_fault_before(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(alerts, "_POLL_SECONDS", 0)
    moments = ({"ComponentDown"}, set[str](), {"MemoryLow" + WAITS}, {"MemoryLow"}, set[str]())
    watch = AlertWatch(Answers(*moments), SCENARIO)

    watch.wait_for_must(0)
    watch.wait_for_silence(60)

    assert watch.outcome.problems == ["MemoryLow fired but must not"]
