"""`kill -9` of any process of a stack at random moments, each with its seed."""

import random
import signal
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

import psutil

from stack.lifecycle import Stack
from stack.processes import SERVICE_MARK, described, processes_of
from stack.status import SUPERVISOR, ServiceState, ServiceStatus, stack_status
from stack.supervision import WATCHDOG

_LAUNCHER: Final = "stack.launch"
_MEAN_PAUSE_SECONDS: Final = 12.0
_POLL_SECONDS: Final = 1.0


@dataclass(frozen=True, slots=True)
class Kills:
    """What was killed.

    Attributes:
        processes: How many processes of each component.
        first: Components whose first process was among them, so that they had to be started again.
    """

    processes: Counter[str] = field(default_factory=Counter)
    first: set[str] = field(default_factory=set)


def kill_at_random(stack: Stack, seconds: float, seed: int, say: Callable[[str], None]) -> Kills:
    """Kill processes of the stack at random moments, parents or children, the supervisor included."""
    chance = random.Random(seed)  # noqa: S311 -- to be repeated, not to be secret
    kills = Kills()
    deadline = time.monotonic() + seconds
    while (pause := chance.expovariate(1 / _MEAN_PAUSE_SECONDS)) < deadline - time.monotonic():
        time.sleep(pause)
        found = dict(processes_by_component(stack))
        if not found:
            continue
        component, victim = chance.choice([(name, one) for name in sorted(found) for one in found[name]])
        with suppress(psutil.Error):
            is_first = not any(parent in found[component] for parent in victim.parents())
            text = described(victim)
            victim.send_signal(signal.SIGKILL)
            say(f"  {time.strftime('%H:%M:%S')} kill -9 of {component}: {text}")
            kills.processes[component] += 1
            if is_first:
                kills.first.add(component)
    return kills


def processes_by_component(stack: Stack) -> Mapping[str, Sequence[psutil.Process]]:
    """Every process of the stack, ordered by its number, under the component that it belongs to."""
    found: dict[str, list[psutil.Process]] = defaultdict(list)
    for process in sorted(processes_of(stack.paths.data), key=lambda one: one.pid):
        with suppress(psutil.Error):
            found[_component_of(process)].append(process)
    return found


def _component_of(process: psutil.Process) -> str:
    if service := process.environ().get(SERVICE_MARK):
        return service
    command = process.cmdline()
    if _LAUNCHER in command:
        return command[-1]
    return SUPERVISOR if any("supervisord" in word for word in command) else WATCHDOG


def wait_for_recovery(stack: Stack, kills: Kills, seconds: float) -> Sequence[str]:
    """Wait until every service is up and its status says what happened to it; gives what is not so."""
    deadline = time.monotonic() + seconds
    while problems := _problems_of_status(stack_status(stack), kills):
        if time.monotonic() > deadline:
            return problems
        time.sleep(_POLL_SECONDS)
    return []


def _problems_of_status(rows: Sequence[ServiceStatus], kills: Kills) -> Sequence[str]:
    sick = [f"{row.name} is {row.state}: {row.detail}" for row in rows if row.state is not ServiceState.UP]
    silent = [
        f"the status does not say that {row.name} was killed"
        for row in rows
        if row.name in kills.first - {SUPERVISOR} and not (row.restarts and row.last_failure_reason)
    ]
    return sick + silent
