"""The reference page of all metrics, written by `python -m monitoring.reference` from their declarations."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import yaml

import api.metrics
import clickstream.etl.stream.metrics
import control_panel.metrics
import generator.live.metrics
import monitoring.exporter.metrics
from clickstream.metrics import MetricDeclaration, MetricKind, declarations_in
from clickstream.settings import PROJECT_ROOT
from stack.kafka.server import METRICS as KAFKA_METRICS

PAGE: Final = PROJECT_ROOT / "monitoring" / "REFERENCE.md"

_HEAD: Final = """\
# Metrics

Made from the declarations by `python -m monitoring.reference`; a test holds it equal to them. Prometheus adds
the label `job`, the name of the service. Python services also serve `process_…` and `python_…` metrics of
their process; Kafka serves `jvm_…`. Node exporter and Prometheus describe theirs themselves.
"""


def kafka_declarations(path: Path = KAFKA_METRICS) -> list[MetricDeclaration]:
    """What Kafka's JMX exporter is configured to serve."""
    rules = yaml.safe_load(path.read_text(encoding="utf-8"))["rules"]
    return [
        MetricDeclaration(
            name=rule["name"],
            kind=MetricKind(rule["type"].lower()),
            help=rule["help"],
            labels=tuple(rule.get("labels", ())),
        )
        for rule in rules
    ]


def declarations_by_service() -> Mapping[str, Sequence[MetricDeclaration]]:
    """All metrics of our services, by the name of the service."""
    return {
        "api": declarations_in(api.metrics),
        "stream_events": declarations_in(clickstream.etl.stream.metrics),
        "generator": declarations_in(generator.live.metrics),
        "panel": declarations_in(control_panel.metrics),
        "exporter": declarations_in(monitoring.exporter.metrics),
        "kafka": kafka_declarations(),
    }


def render() -> str:
    """The page."""
    sections = [
        f"\n## {service}\n\n| metric | kind | labels | what it says |\n| --- | --- | --- | --- |\n"
        + "".join(map(_row, declarations))
        for service, declarations in declarations_by_service().items()
    ]
    return _HEAD + "".join(sections)


def _row(declared: MetricDeclaration) -> str:
    labels = ", ".join(f"`{label}`" for label in declared.labels)
    buckets = (
        f" Buckets: {', '.join(f'{bound:g}' for bound in declared.buckets)}." if declared.buckets else ""
    )
    return f"| `{declared.name}` | {declared.kind} | {labels} | {declared.help}{buckets} |\n"


if __name__ == "__main__":
    PAGE.write_text(render(), encoding="utf-8")
