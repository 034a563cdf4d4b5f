"""What the components use, asked of the operating system: CPU, memory, log files, disk."""

import os
import shutil
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress

import psutil
from prometheus_client.metrics_core import Metric

from monitoring.exporter import metrics
from stack.paths import StackPaths
from stack.processes import own_memory_bytes
from stack.supervision import Supervisor

SUPERVISOR = "supervisor"


class ComponentUse:
    """CPU and memory of the processes of each component."""

    def __init__(self, paths: StackPaths) -> None:
        self._supervisor = Supervisor(paths)

    def __call__(self) -> Sequence[Metric]:
        """Looks once.

        Raises:
            ServiceUnavailableError: The supervisor does not answer.
        """
        families = self._families()
        return [
            metrics.COMPONENT_CPU.family(((name,), _cpu_seconds(pids)) for name, pids in families.items()),
            metrics.COMPONENT_MEMORY.family(
                ((name,), sum(map(own_memory_bytes, pids))) for name, pids in families.items()
            ),
        ]

    def _families(self) -> Mapping[str, Sequence[int]]:
        """The processes of each component: its own, then its descendants."""
        children = _children_by_parent()
        roots = {name: info.pid for name, info in self._supervisor.processes().items() if info.pid}
        families = {name: _descent(pid, children) for name, pid in roots.items()}
        return {**families, SUPERVISOR: [self._supervisor.pid()]}


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


def _children_by_parent() -> Mapping[int, Sequence[int]]:
    children: dict[int, list[int]] = defaultdict(list)
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            children[process.ppid()].append(process.pid)
    return children


def _descent(pid: int, children: Mapping[int, Sequence[int]]) -> Sequence[int]:
    family = [pid]
    for member in family:
        family += children.get(member, ())
    return family


def _cpu_seconds(pids: Sequence[int]) -> float:
    """CPU time of the processes and of children that have ended, so that it does not fall when one ends."""
    total = 0.0
    for pid in pids:
        with suppress(psutil.Error):
            times = psutil.Process(pid).cpu_times()
            total += times.user + times.system + times.children_user + times.children_system
    return total
