"""What the components use: CPU, memory, log files, disk."""

import os
import shutil
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime

from prometheus_client.metrics_core import Metric

from monitoring.exporter import metrics
from monitoring.exporter.components import read_reports
from stack.paths import StackPaths
from stack.resource_use import ResourceUse, families_of, use_of
from stack.supervision import Supervisor

SUPERVISOR = "supervisor"


class ComponentUse:
    """CPU and memory of each component without Docker, where the exporter can measure all processes."""

    def __init__(self, paths: StackPaths) -> None:
        self._supervisor = Supervisor(paths)

    def __call__(self) -> Sequence[Metric]:
        """Looks once.

        Raises:
            ServiceUnavailableError: The supervisor does not answer.
        """
        roots = {name: info.pid for name, info in self._supervisor.processes().items() if info.pid}
        # All other processes descend from the supervisor, whose own use is that of its process alone.
        families = {**families_of(roots), SUPERVISOR: [self._supervisor.pid()]}
        return _as_metrics({name: use_of(pids) for name, pids in families.items()})


class ReportedUse:
    """CPU and memory of each component with Docker, where each container reports its own."""

    def __init__(self, paths: StackPaths) -> None:
        self._path = paths.health

    def __call__(self) -> Sequence[Metric]:
        """Reads the reports; those of containers that have ended are left out."""
        now = datetime.now(UTC)
        reports = [report for report in read_reports(self._path) if not report.is_silent(now)]
        return _as_metrics({name: use for report in reports for name, use in report.use.items()})


def _as_metrics(use: Mapping[str, ResourceUse]) -> Sequence[Metric]:
    return [
        metrics.COMPONENT_CPU.family(((name,), one.cpu_seconds) for name, one in use.items()),
        metrics.COMPONENT_MEMORY.family(((name,), one.memory_bytes) for name, one in use.items()),
    ]


class DiskUse:
    """Log files, and the disk of the data directory."""

    def __init__(self, paths: StackPaths) -> None:
        self._paths = paths

    def __call__(self) -> Sequence[Metric]:
        """Looks once."""
        disk = shutil.disk_usage(self._paths.data)
        logs = {entry.name.removesuffix(".log"): entry for entry in _log_files(self._paths)}
        return [
            metrics.DISK_FREE.single(disk.free),
            metrics.DISK_SIZE.single(disk.total),
            metrics.COMPONENT_LOG.family(((name,), entry.stat().st_size) for name, entry in logs.items()),
        ]


def _log_files(paths: StackPaths) -> Iterable[os.DirEntry[str]]:
    """The present log files; what rotation put aside ends in a number. In a container there are none."""
    if not paths.logs.is_dir():
        return []
    with os.scandir(paths.logs) as entries:
        return [entry for entry in entries if entry.name.endswith(".log")]
