"""Is a service healthy? One question, asked the same way at the start, by `status` and by the watchdog."""

import http.client
import socket
import urllib.error
import urllib.request

from clickstream.settings import Settings
from stack.services import Service

# Health is asked of this machine: a proxy that the environment names has no part in it.
_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def health_problem(service: Service, settings: Settings) -> str | None:
    """What keeps the service from being healthy, in words; None if it is."""
    timeout = settings.stack.health_timeout_seconds
    url = service.health_url(settings)
    try:
        if url is None:
            socket.create_connection((service.local_host(settings), service.port(settings)), timeout).close()
            return None
        with _DIRECT.open(url, timeout=timeout) as answer:
            return None if answer.status == http.HTTPStatus.OK else f"answers {answer.status}"
    except urllib.error.HTTPError as error:
        return f"answers {error.code}"
    except TimeoutError:
        return f"does not answer within {timeout:g} s"
    except urllib.error.URLError as error:
        return _in_words(error.reason, timeout)
    except (OSError, http.client.HTTPException) as error:
        return _in_words(error, timeout)


def _in_words(reason: object, timeout: float) -> str:
    if isinstance(reason, TimeoutError):
        return f"does not answer within {timeout:g} s"
    if isinstance(reason, ConnectionRefusedError):
        return "does not listen"
    return f"does not answer: {reason}"
