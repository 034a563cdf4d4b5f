"""The metrics of the live generator, read from its status when they are asked for."""

from collections.abc import Iterator
from typing import Final

from prometheus_client import CollectorRegistry, PlatformCollector, ProcessCollector
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from generator.live.fleet import Fleet
from generator.live.wire import Kind

PREFIX: Final = "clickstream_generator"
RUNNING: Final = f"{PREFIX}_running"
DUE: Final = f"{PREFIX}_due_events_per_second"
ACKNOWLEDGED: Final = f"{PREFIX}_events_acknowledged_total"
FAULTS: Final = f"{PREFIX}_faults_acknowledged_total"
UNCERTAIN: Final = f"{PREFIX}_events_uncertain_total"
UNACKNOWLEDGED: Final = f"{PREFIX}_events_unacknowledged"
RETRIES: Final = f"{PREFIX}_retries_total"


class _GeneratorCollector(Collector):
    """One look at the status gives all metrics, so that they agree with each other and with the account."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet

    def collect(self) -> Iterator[Metric]:
        status = self._fleet.status()
        each = [one.status for one in self._fleet.statuses()]
        running = GaugeMetricFamily(RUNNING, "Number of generators that are making events.")
        running.add_metric([], float(sum(one.state == "running" for one in each)))
        due = GaugeMetricFamily(DUE, "Events that all generators are to send a second right now.")
        due.add_metric([], sum(one.due_per_second for one in each))
        acknowledged = CounterMetricFamily(
            ACKNOWLEDGED, "Acknowledged events by what must become of them.", labels=["source", "kind"]
        )
        faults = CounterMetricFamily(
            FAULTS, "Acknowledged broken events by the code that they must earn.", labels=["source", "code"]
        )
        uncertain = CounterMetricFamily(
            UNCERTAIN, "Events of attempts of which it isn't known whether they arrived.", labels=["source"]
        )
        unacknowledged = GaugeMetricFamily(UNACKNOWLEDGED, "Events that are under way.", labels=["source"])
        retries = CounterMetricFamily(RETRIES, "Attempts that failed and were repeated.", labels=["source"])
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
        yield from (running, due, acknowledged, faults, uncertain, unacknowledged, retries)


def make_registry(fleet: Fleet) -> CollectorRegistry:
    """The metrics of the generators, and of their process."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_GeneratorCollector(fleet))
    ProcessCollector(namespace=PREFIX, registry=registry)
    PlatformCollector(registry=registry)
    return registry
