"""What processes and their descendants use, asked of the operating system."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import suppress

import msgspec
import psutil

from stack.processes import own_memory_bytes


class ResourceUse(msgspec.Struct, frozen=True):
    """What some processes use.

    Attributes:
        cpu_seconds: CPU time, including that of children that have ended, so that it does not fall then.
        memory_bytes: Memory; pages that the processes share are counted once.
    """

    cpu_seconds: float
    memory_bytes: int


def families_of(roots: Mapping[str, int]) -> Mapping[str, Sequence[int]]:
    """Each of these processes and its descendants, by the names of the roots."""
    children: dict[int, list[int]] = defaultdict(list)
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            children[process.ppid()].append(process.pid)
    return {name: _descent(pid, children) for name, pid in roots.items()}


def use_of(pids: Sequence[int]) -> ResourceUse:
    """What these processes use together."""
    return ResourceUse(_cpu_seconds(pids), sum(map(own_memory_bytes, pids)))


def _descent(pid: int, children: Mapping[int, Sequence[int]]) -> Sequence[int]:
    family = [pid]
    for member in family:
        family += children.get(member, ())
    return family


def _cpu_seconds(pids: Sequence[int]) -> float:
    total = 0.0
    for pid in pids:
        with suppress(psutil.Error):
            times = psutil.Process(pid).cpu_times()
            total += times.user + times.system + times.children_user + times.children_system
    return total
