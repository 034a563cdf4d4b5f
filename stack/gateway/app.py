"""The HTTP side of the gateway: routes, who asks, and how failures are told."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from functools import partial
from ipaddress import ip_address
from typing import Final

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from serving.host_names import allowed_host_check
from stack.gateway.accounts import Account
from stack.gateway.answers import AnswerCutShortError
from stack.gateway.auth import Accounts
from stack.gateway.calls import read_call
from stack.gateway.configuration import Configuration
from stack.gateway.connections import connection_of
from stack.gateway.engine import Engine
from stack.gateway.errors import StatementError
from stack.gateway.execution import Gateway
from stack.gateway.metrics import CONTENT_TYPE, render_metrics
from stack.gateway.sign_in import FailedPasswords

_log: Final = logging.getLogger(__name__)
_is_name_of_this_machine: Final = allowed_host_check("")
_SESSION_SWEEP_SECONDS: Final = 5.0
_READY_SECONDS: Final = 5.0
_SKIP_BYTES: Final = 256 * 1024 * 1024
_SKIP_SECONDS: Final = 10.0
_STRANGERS_SKIP_BYTES: Final = 1024 * 1024
_STRANGERS_SKIP_SECONDS: Final = 1.0


class StatementEndpoint:
    """`/`: runs the statement of a request; without one it says that the server is there."""

    def __init__(self, accounts: Accounts, gateway: Gateway) -> None:
        self._accounts = accounts
        self._gateway = gateway
        self._failures = FailedPasswords()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        request = Request(scope, receive)
        if request.method in ("GET", "HEAD") and "query" not in request.query_params:
            await _ok(request)(scope, receive, send)
            return
        pieces = request.stream()
        is_signed_in = False
        try:
            account = await self._sign_in(request)
            is_signed_in = True
            call = read_call(request, account)
            ending = await self._gateway.run(call, pieces, receive, send)
        except StatementError as error:
            # The text may quote rows or literals, and these may be personal: the log has the code alone.
            _log.warning("A statement failed: code %d, status %d", error.code, error.status)
            if is_signed_in:
                await _skip_rest(pieces, _SKIP_BYTES, _SKIP_SECONDS)
            else:
                await _skip_rest(pieces, _STRANGERS_SKIP_BYTES, _STRANGERS_SKIP_SECONDS)
            await _failure(error)(scope, receive, send)
        except ClientDisconnect:
            _log.warning("A client went away while it sent its statement; nothing was stored")
        except AnswerCutShortError as error:
            # An answer without its last piece makes the server close the connection: the client sees the cut.
            _log.warning("A statement failed in the midst of its answer: code %d", error.code)
        else:
            await ending.send(send)

    async def _sign_in(self, request: Request) -> Account:
        """The account of a request; nothing else of it is looked at before."""
        connection = connection_of(request.scope)
        address = request.client.host if request.client else ""
        if connection is None or not connection.has_proven:
            self._failures.refuse_crowd(address)
        try:
            account = self._accounts.authenticate(request.headers, request.query_params)
        except StatementError:
            await self._failures.add(address)
            raise
        if connection is not None:
            connection.prove()
        return account

    async def serve_metrics(self, request: Request) -> Response:
        """`/metrics`: open to programs of this machine, as on a server; others sign in."""
        try:
            if not _is_local(request):
                await self._sign_in(request)
            text = await self._gateway.in_thread(partial(render_metrics, self._gateway.engine))
        except StatementError as error:
            return _failure(error)
        return PlainTextResponse(text, media_type=CONTENT_TYPE)


def create_app(configuration: Configuration, engine: Engine) -> Starlette:
    """The gateway as an ASGI application over an engine that is open."""
    gateway = Gateway(engine, configuration.max_connections)
    endpoint = StatementEndpoint(Accounts(configuration), gateway)

    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        sweeping = asyncio.create_task(_sweep_sessions(gateway))
        try:
            yield
        finally:
            sweeping.cancel()
            gateway.sessions.close_all()

    app = Starlette(
        routes=[
            Route("/ping", _ok),
            Route("/replicas_status", _ok),
            Route("/health/ready", _ready),
            Route("/metrics", endpoint.serve_metrics),
            Route("/", endpoint, methods=["GET", "HEAD", "POST"]),
        ],
        lifespan=lifespan,
    )
    app.state.gateway = gateway
    return app


def _is_local(request: Request) -> bool:
    """Whether a program of this machine asks, and not a web page under a name that it points here."""
    hosts = request.headers.getlist("host")
    return (
        request.client is not None
        and ip_address(request.client.host).is_loopback
        and len(hosts) == 1
        and _is_name_of_this_machine(hosts[0])
    )


def _ok(_: Request) -> Response:
    return PlainTextResponse("Ok.\n")


async def _ready(request: Request) -> Response:
    """Whether the engine answers, not only the process."""
    gateway: Gateway = request.app.state.gateway
    try:
        async with asyncio.timeout(_READY_SECONDS):
            await gateway.in_thread(gateway.engine.running)
    except (TimeoutError, StatementError):
        return PlainTextResponse("The engine does not answer.\n", status_code=503)
    return PlainTextResponse("Ok.\n")


def _failure(error: StatementError) -> Response:
    headers = {"X-ClickHouse-Exception-Code": str(error.code)}
    if error.retry_after_seconds is not None:
        headers["Retry-After"] = str(error.retry_after_seconds)
    return PlainTextResponse(error.text + "\n", status_code=error.status, headers=headers)


async def _skip_rest(pieces: AsyncIterator[bytes], limit: int, seconds: float) -> None:
    """Read what is left of a body, within bounds: many clients read no answer before all is sent."""
    skipped = 0
    with contextlib.suppress(ClientDisconnect, TimeoutError, RuntimeError):
        async with asyncio.timeout(seconds):
            async for piece in pieces:
                skipped += len(piece)
                if skipped > limit:
                    return


async def _sweep_sessions(gateway: Gateway) -> None:
    while True:
        await asyncio.sleep(_SESSION_SWEEP_SECONDS)
        await gateway.in_thread(gateway.sessions.close_expired)
