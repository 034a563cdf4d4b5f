"""The state of the components, from the exporter of the monitoring."""

from datetime import datetime
from functools import cache
from typing import Final

import httpx
import msgspec

from clickstream.errors import ServiceUnavailableError
from clickstream.settings import get_settings
from control_panel.clients.readings import shared

LOOPBACK: Final = "127.0.0.1"
_ANY: Final = "0.0.0.0"  # noqa: S104 -- replaced, not listened on
_TIMEOUT_SECONDS: Final = 1.5


class Component(msgspec.Struct, frozen=True):
    """The state of one service.

    Attributes:
        name: The service.
        state: starting, up, failing, restarting or stopped.
        reason: Why it is not up.
        since: Since when it is in this state.
        restarts: How often it was restarted.
        last_failure_at: When it failed last; None if it never did.
        last_failure_reason: Why it failed then.
        address: Where it listens.
    """

    name: str
    state: str
    reason: str = ""
    since: datetime | None = None
    restarts: int = 0
    last_failure_at: datetime | None = None
    last_failure_reason: str | None = None
    address: str = ""


class Components(msgspec.Struct, frozen=True):
    """How all services stand.

    Attributes:
        checked_at: When the watchdog looked; None if it has not yet.
        components: One for each service.
    """

    components: tuple[Component, ...]
    checked_at: datetime | None = None


@shared(seconds=8)
def components() -> Components:
    """How all services stand.

    Raises:
        ServiceUnavailableError: The exporter does not answer, or not as expected.
    """
    url = f"http://{_address()}/components"
    try:
        answer = _client().get(url).raise_for_status()
        return msgspec.json.decode(answer.content, type=Components)
    except (httpx.HTTPError, msgspec.DecodeError) as error:
        raise ServiceUnavailableError(
            f"The exporter does not answer at {_address()}, so the state of the services is not known.",
            hint="make status shows it in a terminal; make up starts what is stopped.",
        ) from error


@cache
def _client() -> httpx.Client:
    """Shared, because creating a client reads the system's certificates: longer work than the request."""
    return httpx.Client(timeout=_TIMEOUT_SECONDS, trust_env=False)


def _address() -> str:
    monitoring = get_settings().monitoring
    host = LOOPBACK if monitoring.exporter_host == _ANY else monitoring.exporter_host
    return f"{host}:{monitoring.exporter_port}"
