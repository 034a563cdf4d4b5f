"""Makes a component of a stack fail, and lets it recover."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Final

import psutil

from monitoring.drill.scenarios import Fault, Scenario
from stack.lifecycle import Stack

_CYCLE_SECONDS: Final = 1.0
_SHARE_THAT_RUNS: Final = 0.01


@contextmanager
def injected(stack: Stack, scenario: Scenario) -> Iterator[None]:
    """The scenario's component fails inside of the `with` block and recovers after it."""
    component = scenario.component
    if scenario.fault is Fault.STOP:
        stack.supervisor.stop_process(component)
        try:
            yield
        finally:
            stack.supervisor.start_process(component)
        return
    processes = family(stack, component)
    starving = threading.Event()
    thread = threading.Thread(target=_starve, args=(stack, component, starving), daemon=True)
    if scenario.fault is Fault.STARVE:
        thread.start()
    else:
        _send(processes, signal.SIGSTOP)
    try:
        yield
    finally:
        starving.set()
        if thread.ident is not None:
            thread.join()
        _send(processes, signal.SIGCONT)


def family(stack: Stack, component: str) -> list[psutil.Process]:
    """The processes of a component, its first one ahead; none if it does not run."""
    pid = stack.supervisor.processes()[component].pid
    try:
        root = psutil.Process(pid) if pid else None
        return [root, *root.children(recursive=True)] if root else []
    except psutil.Error:
        return []


def _starve(stack: Stack, component: str, done: threading.Event) -> None:
    """Lets a component run for a hundredth of each second, also after it was started again."""
    while not done.is_set():
        processes = family(stack, component)
        _send(processes, signal.SIGSTOP)
        done.wait(_CYCLE_SECONDS * (1 - _SHARE_THAT_RUNS))
        _send(processes, signal.SIGCONT)
        done.wait(_CYCLE_SECONDS * _SHARE_THAT_RUNS)


def _send(processes: list[psutil.Process], number: signal.Signals) -> None:
    for process in processes:
        with suppress(psutil.Error):
            process.send_signal(number)
