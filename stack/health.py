"""Is a service healthy? One question, asked the same way at the start, by `status` and by the watchdog."""

import http.client
import socket
import urllib.error

from clickstream.settings import Settings
from stack.patience import patience
from stack.probes import Problem, get, said_by
from stack.services import Service


def check_health(service: Service, settings: Settings) -> Problem | None:
    """What keeps the service from being healthy; None if it answers and does its work."""
    timeout = settings.stack.health_timeout_seconds * patience()
    silence = _silence(service, settings, timeout)
    if silence is not None:
        return Problem(silence)
    return service.probe(settings, service.local_address(settings), timeout) if service.probe else None


def health_problem(service: Service, settings: Settings) -> str | None:
    """What keeps the service from being healthy by its own fault, in words; None if nothing does."""
    problem = check_health(service, settings)
    return problem.text if problem is not None and problem.is_own else None


def _silence(service: Service, settings: Settings, timeout: float) -> str | None:
    """Why the service does not answer, in words; None if it does."""
    url = service.health_url(settings)
    try:
        if url is None:
            socket.create_connection((service.local_host(settings), service.port(settings)), timeout).close()
        else:
            get(url, timeout)
    except urllib.error.HTTPError as error:
        return said_by(error)
    except TimeoutError:
        return f"does not answer within {timeout:.1f} s"
    except urllib.error.URLError as error:
        return _in_words(error.reason, timeout)
    except (OSError, http.client.HTTPException) as error:
        return _in_words(error, timeout)
    return None


def _in_words(reason: object, timeout: float) -> str:
    if isinstance(reason, TimeoutError):
        return f"does not answer within {timeout:.1f} s"
    if isinstance(reason, ConnectionRefusedError):
        return "does not listen"
    return f"does not answer: {reason}"
