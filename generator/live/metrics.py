"""The metrics of the live generator, read from its status when they are asked for."""

from collections.abc import Iterator
from typing import Final

from prometheus_client import CollectorRegistry, PlatformCollector, ProcessCollector
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from clickstream.metrics import counter, gauge
from generator.live.fleet import Fleet
from generator.live.wire import Kind

PREFIX: Final = "clickstream_generator"
RUNNING: Final = gauge(f"{PREFIX}_running", "Number of generators that are making events.")
DUE: Final = gauge(
    f"{PREFIX}_due_events_per_second", "Events that all generators are to send a second right now."
)
ACKNOWLEDGED: Final = counter(
    f"{PREFIX}_events_acknowledged_total",
    "Acknowledged events by what must become of them.",
    "source",
    "kind",
)
FAULTS: Final = counter(
    f"{PREFIX}_faults_acknowledged_total",
    "Acknowledged broken events by the code that they must earn.",
    "source",
    "code",
)
UNCERTAIN: Final = counter(
    f"{PREFIX}_events_uncertain_total",
    "Events of attempts that may or may not have arrived.",
    "source",
)
UNACKNOWLEDGED: Final = gauge(f"{PREFIX}_events_unacknowledged", "Events that are under way.", "source")
RETRIES: Final = counter(f"{PREFIX}_retries_total", "Attempts that failed and were repeated.", "source")


class _GeneratorCollector(Collector):
    """One look at the status gives all metrics, so that they agree with each other and with the account."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet

    def collect(self) -> Iterator[Metric]:
        status = self._fleet.status()
        each = [one.status for one in self._fleet.statuses()]
        acknowledged, faults, uncertain, unacknowledged, retries = (
            declared.family() for declared in (ACKNOWLEDGED, FAULTS, UNCERTAIN, UNACKNOWLEDGED, RETRIES)
        )
        for source, counts in status.sources.items():
            by_kind = {
                Kind.VALID: counts.valid,
                Kind.DUPLICATE: counts.duplicate,
                Kind.FAULTY: counts.faulty,
            }
            for kind, events in by_kind.items():
                acknowledged.add_metric([source, kind], events)
            for code, events in counts.faulty_by_code.items():
                faults.add_metric([source, code], events)
            uncertain.add_metric([source], counts.uncertain)
            unacknowledged.add_metric([source], counts.unacknowledged)
            retries.add_metric([source], counts.retries)
        yield RUNNING.single(float(sum(one.state == "running" for one in each)))
        yield DUE.single(sum(one.due_per_second for one in each))
        yield from (acknowledged, faults, uncertain, unacknowledged, retries)


def make_registry(fleet: Fleet) -> CollectorRegistry:
    """The metrics of the generators, and of their process."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_GeneratorCollector(fleet))
    ProcessCollector(namespace=PREFIX, registry=registry)
    PlatformCollector(registry=registry)
    return registry
