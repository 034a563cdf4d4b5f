"""The live generators of the generator's service."""

import threading
from collections import deque
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import pyarrow as pa

from clickstream.settings import get_settings
from control_panel.clients.readings import shared
from generator.live.fleet import NamedStatus
from generator.live.options import LiveOptions
from generator.live_cli import call, list_generators, remove_generator

_TIMEOUT_SECONDS: Final = 2.0
_SAMPLES: Final = 150
"""Five minutes of them while a page is open."""

_lock = threading.Lock()
_history: deque[tuple[datetime, dict[str, float]]] = deque(maxlen=_SAMPLES)


@dataclass(frozen=True, slots=True)
class Generators:
    """All generators, and how fast they have been.

    Attributes:
        each: How each stands.
        rates: Acknowledged events per second by time and generator, since a page has been open.
    """

    each: tuple[NamedStatus, ...]
    rates: pa.Table


@shared(seconds=2)
def generators() -> Generators:
    """How all generators stand."""
    found = tuple(list_generators(get_settings().generator, _TIMEOUT_SECONDS))
    with _lock:
        _history.append((datetime.now(UTC), {one.name: one.status.acknowledged_per_second for one in found}))
        samples = list(_history)
    names = [one.name for one in found]
    columns = {name: [rates.get(name, 0.0) for _, rates in samples] for name in names}
    return Generators(found, pa.table({"at": [at for at, _ in samples], **columns}))


def start(name: str, options: LiveOptions) -> None:
    """Let a generator begin; makes it if it is new."""
    call(get_settings().generator, "POST", f"/generators/{name}/start", options)
    generators.forget()


def stop(name: str) -> None:
    """Let a generator begin no more events."""
    call(get_settings().generator, "POST", f"/generators/{name}/stop", {})
    generators.forget()


def change_rate(name: str, rate_per_second: float) -> None:
    """Let a generator go on at another rate."""
    call(get_settings().generator, "POST", f"/generators/{name}/rate", {"rate_per_second": rate_per_second})
    generators.forget()


def remove(name: str) -> None:
    """Forget a generator that is at rest."""
    remove_generator(get_settings().generator, name)
    generators.forget()
