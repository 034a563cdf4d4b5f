"""How a metric is declared: name, kind, labels and help are in one place, whichever module sets its value.

Services that count as they work declare with the classes of prometheus_client; those that look values up
when they are asked declare a `MetricDeclaration`. `declarations_in` reads both, and the reference page of
monitoring is made from that.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum, unique
from types import ModuleType

from prometheus_client.metrics import MetricWrapperBase
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily

MetricFamily = CounterMetricFamily | GaugeMetricFamily


@unique
class MetricKind(StrEnum):
    """What Prometheus may do with a metric."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


@dataclass(frozen=True, slots=True)
class MetricDeclaration:
    """One metric.

    Attributes:
        name: The name under which it is asked for; counters end in `_total`.
        kind: Counter, gauge or histogram.
        help: What it says, in one or two sentences.
        labels: Names of its labels.
        buckets: Upper bounds of a histogram's buckets, in the metric's unit.
    """

    name: str
    kind: MetricKind
    help: str
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = ()

    def family(self, samples: Iterable[tuple[tuple[str, ...], float]] = ()) -> MetricFamily:
        """The metric with values.

        Args:
            samples: The values of the labels, in their order, and the value.
        """
        make = CounterMetricFamily if self.kind is MetricKind.COUNTER else GaugeMetricFamily
        family = make(self.name, self.help, labels=self.labels)
        for label_values, value in samples:
            family.add_metric(label_values, value)
        return family

    def single(self, value: float) -> MetricFamily:
        """The metric without labels, with its value."""
        return self.family([((), value)])


def gauge(name: str, text: str, *labels: str) -> MetricDeclaration:
    """Declares a value that goes up and down."""
    return MetricDeclaration(name, MetricKind.GAUGE, text, labels)


def counter(name: str, text: str, *labels: str) -> MetricDeclaration:
    """Declares a value that only grows, until its service starts again."""
    return MetricDeclaration(name, MetricKind.COUNTER, text, labels)


def declarations_in(*modules: ModuleType) -> list[MetricDeclaration]:
    """All metrics that the modules declare, in order of their names."""
    found = {}
    for module in modules:
        for value in vars(module).values():
            if isinstance(value, MetricWrapperBase):
                value = _of_instrument(value)  # noqa: PLW2901 -- both forms end as one
            if isinstance(value, MetricDeclaration):
                found[value.name] = value
    return [found[name] for name in sorted(found)]


def _of_instrument(instrument: MetricWrapperBase) -> MetricDeclaration:
    """The declaration of an instrument of prometheus_client, which keeps labels and buckets to itself."""
    [family] = instrument.describe()
    kind = MetricKind(family.type)
    bounds = getattr(instrument, "_upper_bounds", None) or instrument._kwargs.get("buckets", ())
    return MetricDeclaration(
        name=f"{family.name}_total" if kind is MetricKind.COUNTER else family.name,
        kind=kind,
        help=family.documentation,
        labels=tuple(instrument._labelnames),
        buckets=tuple(float(bound) for bound in bounds if bound != float("inf")),
    )
