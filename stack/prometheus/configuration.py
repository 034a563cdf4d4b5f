"""Prometheus' configuration, derived from the services of the stack, and the programs' commands."""

import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from clickstream.settings import PROJECT_ROOT, Settings
from stack.paths import StackPaths
from stack.prometheus.install import Program, required
from stack.services import LOOPBACK, Service, chosen_services

# Enough for any dashboard, and little enough that no question takes the machine's memory.
_QUERY_LIMITS: Final = (
    *("--query.timeout", "30s"),
    *("--query.max-concurrency", "8"),
    *("--query.max-samples", "5000000"),
)

# What the dashboards draw; all collectors together would be a thousand series more.
_NODE_COLLECTORS: Final = (*("cpu", "diskstats", "loadavg", "meminfo", "netdev", "pressure"),)


# The engine has a thousand counters; these are the ones to look at when something is slow.
_ENGINE_METRICS: Final = (
    "ClickHouseMetrics_(Query|Merge|PartMutation|MemoryTracking|HTTPConnection)"
    "|ClickHouseProfileEvents_(Query|FailedQuery|InsertQuery|InsertedRows|SelectedRows|MergedRows)"
    "|ClickHouseAsyncMetrics_.+"
)
_KEPT: Final[Mapping[str, str]] = {"clickhouse": _ENGINE_METRICS}
"""Of which service only the metrics of these names are kept."""


def prometheus_config(services: Sequence[Service], settings: Settings) -> Mapping[str, object]:
    """What Prometheus asks of which service, and which alerts it evaluates."""
    interval = f"{settings.monitoring.scrape_interval_seconds}s"
    return {
        "global": {
            "scrape_interval": interval,
            "scrape_timeout": interval,
            "evaluation_interval": interval,
            "external_labels": {"stack": settings.stack.name},
        },
        "rule_files": ["alerts.yaml"],
        "scrape_configs": [
            {
                "job_name": service.name,
                "metrics_path": service.metrics_path,
                "static_configs": [{"targets": [_target(service, settings)]}],
                **_kept_metrics(service.name),
            }
            for service in services
            if service.metrics_path is not None
        ],
    }


def _kept_metrics(service: str) -> Mapping[str, object]:
    if service not in _KEPT:
        return {}
    rule = {"source_labels": ["__name__"], "regex": _KEPT[service], "action": "keep"}
    return {"metric_relabel_configs": [rule]}


def _target(service: Service, settings: Settings) -> str:
    host = service.local_host(settings)
    return f"{f'[{host}]' if ':' in host else host}:{service.metrics_port(settings)}"


def write_files(settings: Settings) -> Path:
    """Write the configuration and the alerts into Prometheus' home; gives the path of the configuration."""
    home = StackPaths(settings.stack.data_path).home_of("prometheus")
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    shutil.copyfile(PROJECT_ROOT / settings.monitoring.alerts_file, home / "alerts.yaml")
    path = home / "prometheus.yaml"
    # JSON is YAML as well.
    config = prometheus_config(chosen_services(settings), settings)
    path.write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
    return path


def prometheus_command(settings: Settings, config: Path) -> Sequence[str]:
    """The command that becomes Prometheus.

    Raises:
        PrometheusMissingError: It is missing.
    """
    return (
        str(required(Program.PROMETHEUS)),
        *("--config.file", str(config)),
        *("--storage.tsdb.path", str(config.parent / "series")),
        *("--storage.tsdb.retention.size", f"{settings.monitoring.retention_bytes}B"),
        # Without a sign-in of its own it listens to this machine only.
        *("--web.listen-address", f"{LOOPBACK}:{settings.monitoring.prometheus_port}"),
        *_QUERY_LIMITS,
        *("--log.level", "warn"),
        *("--log.format", "json"),
    )


def node_exporter_command(settings: Settings) -> Sequence[str]:
    """The command that becomes node exporter.

    Raises:
        PrometheusMissingError: It is missing.
    """
    return (
        str(required(Program.NODE_EXPORTER)),
        "--collector.disable-defaults",
        *(f"--collector.{name}" for name in _NODE_COLLECTORS),
        *("--web.listen-address", f"{LOOPBACK}:{settings.monitoring.node_exporter_port}"),
        *("--log.level", "warn"),
        *("--log.format", "json"),
    )
