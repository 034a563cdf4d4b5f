"""What holds for every answer: it is counted, bears security headers, and a fault gives nothing away."""

import logging
import time
import traceback
from typing import Final

from starlette.middleware.cors import CORSMiddleware
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api import metrics
from api.refusals import Refusal, RefusalBody, RefusalCode
from clickstream import logs

_log: Final = logging.getLogger(__name__)

SECURITY_HEADERS: Final = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"strict-origin-when-cross-origin"),
    (
        b"content-security-policy",
        b"default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; object-src 'none'; "
        b"base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    ),
)
"""For all that a browser may load; pages have no scripts but files of this service."""

_REQUEST_ID_NAME: Final = b"x-request-id"
UNMATCHED: Final = "unmatched"
_METHODS: Final = frozenset({"GET", "HEAD", "POST", "OPTIONS", "PUT", "PATCH", "DELETE"})
_CLIENT_GONE: Final = "499"


class CrossOrigin(CORSMiddleware):
    """Lets browsers read answers on the sites that may send; no work for other clients."""

    def __init__(self, app: ASGIApp, origins: str) -> None:
        super().__init__(
            app,
            allow_origin_regex=origins,
            allow_methods=["POST"],
            allow_headers=["*"],
            expose_headers=["Retry-After", "X-Request-Id"],
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one request."""
        if scope["type"] == "http" and any(name == b"origin" for name, _ in scope["headers"]):
            await super().__call__(scope, receive, send)
        else:
            await self.app(scope, receive, send)


def refuse_host(message: str) -> ASGIApp:
    """The answer to a request under a host name that the service does not know."""
    metrics.REFUSALS[RefusalCode.HOST_NOT_ALLOWED].inc()
    return Refusal(RefusalBody(RefusalCode.HOST_NOT_ALLOWED, message)).response()


class Observed:
    """Counts and times every request."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status = ""
        request_id = logs.request_id_of(_given_id(scope))
        # Nothing is to be reset: each request has a context of its own.
        logs.REQUEST_ID.set(request_id)

        async def send_observed(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = str(message["status"])
                named = (_REQUEST_ID_NAME, request_id.encode())
                message["headers"] = [*message.get("headers", ()), *SECURITY_HEADERS, named]
            await send(message)

        started = time.perf_counter()
        metrics.REQUESTS_IN_PROGRESS.inc()
        try:
            await self._app(scope, receive, send_observed)
        except ClientDisconnect:
            status = _CLIENT_GONE
        except Exception as error:
            _log_fault(error)
            if not status:
                await _FAULT.response()(scope, receive, send_observed)
        finally:
            metrics.REQUESTS_IN_PROGRESS.dec()
            route = _route(scope)
            method = scope["method"] if scope["method"] in _METHODS else "other"
            metrics.REQUESTS.labels(route, method, status).inc()
            metrics.REQUEST_SECONDS.labels(route).observe(time.perf_counter() - started)


_FAULT: Final = Refusal(
    RefusalBody(
        RefusalCode.INTERNAL_ERROR,
        "The service failed; its log tells more. Nothing counts as accepted: the request may be repeated.",
    )
)


def _given_id(scope: Scope) -> str:
    """The id that the client gives its request; empty if it gives none."""
    given = next((value for name, value in scope["headers"] if name == _REQUEST_ID_NAME), b"")
    return str(given.decode("latin-1"))


def _route(scope: Scope) -> str:
    """The path of the route that answered; a closed list, whatever was asked for."""
    return str(getattr(scope.get("route"), "path", UNMATCHED))


def _log_fault(error: Exception) -> None:
    """Logs where it happened. The error's text stays out: it may quote what was sent."""
    frames = traceback.extract_tb(error.__traceback__)
    places = " > ".join(f"{frame.filename.rpartition('/')[2]}:{frame.lineno}" for frame in frames[-8:])
    _log.error("A request failed: %s at %s", type(error).__name__, places)
