"""Which fault hits which component, which alerts must fire then, and which others may."""

from collections.abc import Mapping, Set
from dataclasses import dataclass
from enum import StrEnum, unique
from typing import Final


@unique
class Fault(StrEnum):
    """How a component is made to fail."""

    STOP = "stop"
    """Its process is stopped in order, and nobody starts it again."""

    PAUSE = "pause"
    """Its processes stand still but stay alive, as in a deadlock."""

    STARVE = "starve"
    """Its processes get a hundredth of the time that they would have."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """One fault of one component.

    Attributes:
        component: The service.
        fault: How it is made to fail.
        must: Alerts that must all fire.
        may: Alerts that may fire besides, as a consequence.
        one_of: At least one of these alerts must fire; empty if it does not matter.
    """

    component: str
    fault: Fault
    must: frozenset[str]
    may: frozenset[str] = frozenset()
    one_of: frozenset[str] = frozenset()

    @property
    def allowed(self) -> frozenset[str]:
        """The alerts that may fire."""
        return self.must | self.may | self.one_of

    def is_complete(self, fired: Set[str]) -> bool:
        """Whether all has fired that must."""
        return self.must <= fired and (not self.one_of or bool(self.one_of & fired))

    @property
    def name(self) -> str:
        """Such as `stop kafka`."""
        return f"{self.fault} {self.component}"


def _alerts(*names: str) -> frozenset[str]:
    return frozenset(names)


DOWN: Final = _alerts("ComponentDown")
_NOT_STORED: Final = _alerts("StreamLagGrowing", "NoEvents")
_REFUSED: Final = _alerts("ApiErrorsHigh", "ApiLatencyHigh", "BrokerAway")
_NOT_PROCESSED: Final = _alerts("EtlLate", "EtlFailing")
# The watchdog ends what stands still, so its metrics are missing for a while, and it may be restarted often.
_ENDED: Final = _alerts("ComponentDown", "ComponentRestarting", "MetricsMissing")

SCENARIOS: Final = (
    Scenario("kafka", Fault.STOP, DOWN | {"BrokerAway"}, _REFUSED | _NOT_STORED),
    Scenario("clickhouse", Fault.STOP, DOWN | {"StreamLagGrowing"}, _NOT_PROCESSED | _NOT_STORED),
    Scenario("stream_events", Fault.STOP, DOWN | {"StreamLagGrowing"}, _NOT_STORED),
    Scenario("api", Fault.STOP, DOWN),
    Scenario("mage", Fault.STOP, DOWN | {"EtlLate"}, _NOT_PROCESSED),
    Scenario("generator", Fault.STOP, DOWN),
    Scenario("node_exporter", Fault.STOP, DOWN),
    Scenario("panel", Fault.STOP, DOWN),
    Scenario("superset", Fault.STOP, DOWN),
    Scenario("exporter", Fault.STOP, _alerts("MetricsMissing"), DOWN),
    Scenario("watchdog", Fault.STOP, _alerts("WatchdogSilent")),
    Scenario("api", Fault.PAUSE, DOWN, _ENDED),
    Scenario("stream_events", Fault.PAUSE, DOWN, _ENDED | _NOT_STORED),
    Scenario("kafka", Fault.PAUSE, DOWN, _ENDED | _REFUSED | _NOT_STORED | {"ProbeFailing"}),
    Scenario("clickhouse", Fault.PAUSE, DOWN, _ENDED | _NOT_STORED | _NOT_PROCESSED | {"ProbeFailing"}),
    Scenario("mage", Fault.STARVE, _alerts(), _ENDED | _NOT_PROCESSED, one_of=DOWN | {"EtlLate"}),
)

THRESHOLDS: Final[Mapping[str, str]] = {
    "watchdog_grace_seconds": "30",
    "watchdog_silent_for": "20s",
    "etl_late_seconds": "150",
    "etl_late_for": "20s",
    "etl_failures_window": "3m",
    "lag_records": "50",
    "lag_for": "20s",
    "restarts_window": "3m",
    "disk_free_bytes": "1e9",
    "memory_available_share": "0.02",
    "memory_for": "10m",
    "latency_for": "4m",
    "component_starting_for": "10m",
}
"""Shorter than in real life, so that the drill ends in minutes; what the machine lacks does not count."""
