"""Which metrics PromQL expressions name, and whether they exist."""

import re
from collections.abc import Iterable, Mapping, Set
from typing import Final

from clickstream.metrics import MetricDeclaration, MetricKind
from monitoring.reference import declarations_by_service

_HISTOGRAM_SUFFIXES: Final = ("_bucket", "_sum", "_count")

FOREIGN: Final = frozenset(
    {
        "up",
        "scrape_duration_seconds",
        "ALERTS",
        "prometheus_tsdb_storage_blocks_bytes",
        "process_resident_memory_bytes",
        "process_start_time_seconds",
        "node_cpu_seconds_total",
        "node_disk_io_time_seconds_total",
        "node_disk_read_bytes_total",
        "node_disk_written_bytes_total",
        "node_load1",
        "node_memory_MemAvailable_bytes",
        "node_memory_MemTotal_bytes",
        "node_network_receive_bytes_total",
        "node_network_receive_drop_total",
        "node_network_receive_errs_total",
        "node_network_transmit_bytes_total",
        "node_network_transmit_drop_total",
        "node_network_transmit_errs_total",
        "node_pressure_cpu_waiting_seconds_total",
        "node_pressure_io_waiting_seconds_total",
        "node_pressure_memory_waiting_seconds_total",
    }
)
"""Metrics that others declare: Prometheus, node exporter, client libraries."""

# A name that begins like ours, node exporter's or Kafka's, or is one of the few others.
_NAME: Final = re.compile(
    r"(?<![\w.\"$])((?:clickstream|node|kafka|jvm|process|prometheus|scrape)_[a-zA-Z0-9_]+|up|ALERTS)(?![\w(])"
)
_QUOTED: Final = re.compile(r'"(?:[^"\\]|\\.)*"')
_LABELS: Final = re.compile(r"\b(?:by|on|without|ignoring|group_left|group_right)\s*\(([^)]*)\)")


def metric_names(expression: str) -> Set[str]:
    """The metrics that an expression names; those that it matches by a pattern are left out."""
    bare = _LABELS.sub("", _QUOTED.sub('""', expression))
    return set(_NAME.findall(bare))


def series_names(declarations: Mapping[str, Iterable[MetricDeclaration]]) -> Set[str]:
    """All names under which the declared metrics can be asked for."""
    names = set(FOREIGN)
    for declared in (one for service in declarations.values() for one in service):
        is_histogram = declared.kind is MetricKind.HISTOGRAM
        names |= (
            {declared.name + suffix for suffix in _HISTOGRAM_SUFFIXES} if is_histogram else {declared.name}
        )
    return names


def unknown_metrics(expression: str) -> Set[str]:
    """The metrics that an expression names and nobody declares."""
    return metric_names(expression) - series_names(declarations_by_service())
