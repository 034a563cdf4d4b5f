"""`kill -9` of components at random moments, each with its seed."""

import random
import signal
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from typing import Final

import psutil

from monitoring.drill.blows import family
from stack.health import health_problem
from stack.lifecycle import Stack
from stack.services import service_named

VICTIMS: Final = ("api", "stream_events", "kafka", "clickhouse", "mage")
_MEAN_PAUSE_SECONDS: Final = 12.0
_POLL_SECONDS: Final = 1.0


def kill_at_random(stack: Stack, seconds: float, seed: int) -> Counter[str]:
    """Kill processes, parents or children, at random moments; how often each component was hit."""
    chance = random.Random(seed)  # noqa: S311 -- to be repeated, not to be secret
    killed: Counter[str] = Counter()
    deadline = time.monotonic() + seconds
    while (pause := chance.expovariate(1 / _MEAN_PAUSE_SECONDS)) < deadline - time.monotonic():
        time.sleep(pause)
        component = chance.choice(VICTIMS)
        processes = family(stack, component)
        if processes:
            with suppress(psutil.Error):
                chance.choice(processes).send_signal(signal.SIGKILL)
                killed[component] += 1
    return killed


def wait_for_health(stack: Stack, components: Sequence[str], seconds: float) -> Sequence[str]:
    """Waits until the components are healthy; gives those that are not."""
    deadline = time.monotonic() + seconds
    while sick := [
        name for name in components if health_problem(service_named(name), stack.settings) is not None
    ]:
        if time.monotonic() > deadline:
            return sick
        time.sleep(_POLL_SECONDS)
    return []
