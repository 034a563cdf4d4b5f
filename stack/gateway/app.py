"""The HTTP side of the gateway: routes, who asks, and how failures are told."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from typing import Final

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from stack.gateway.answers import AnswerCutShortError
from stack.gateway.auth import Accounts
from stack.gateway.calls import read_call
from stack.gateway.configuration import Configuration
from stack.gateway.engine import Engine
from stack.gateway.errors import StatementError
from stack.gateway.execution import Gateway

_log: Final = logging.getLogger(__name__)
_SESSION_SWEEP_SECONDS: Final = 5.0
_READY_SECONDS: Final = 5.0
_SKIP_BYTES: Final = 256 * 1024 * 1024
_SKIP_SECONDS: Final = 10.0


class StatementEndpoint:
    """`/`: runs the statement of a request; without one it says that the server is there."""

    def __init__(self, accounts: Accounts, gateway: Gateway) -> None:
        self._accounts = accounts
        self._gateway = gateway

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        request = Request(scope, receive)
        if request.method in ("GET", "HEAD") and "query" not in request.query_params:
            await _ok(request)(scope, receive, send)
            return
        pieces = request.stream()
        try:
            account = self._accounts.authenticate(request.headers, request.query_params)
            call = read_call(request, account)
            ending = await self._gateway.run(call, pieces, receive, send)
        except StatementError as error:
            # The text may quote rows or literals, and these may be personal: the log has the code alone.
            _log.warning("A statement failed: code %d, status %d", error.code, error.status)
            await _skip_rest(pieces)
            await _failure(error)(scope, receive, send)
        except ClientDisconnect:
            _log.warning("A client went away while it sent its statement; nothing was stored")
        except AnswerCutShortError as error:
            # An answer without its last piece makes the server close the connection: the client sees the cut.
            _log.warning("A statement failed in the midst of its answer: code %d", error.code)
        else:
            await ending.send(send)


def create_app(configuration: Configuration, engine: Engine) -> Starlette:
    """The gateway as an ASGI application over an engine that is open."""
    gateway = Gateway(engine, configuration.max_connections)

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
            Route("/", StatementEndpoint(Accounts(configuration), gateway), methods=["GET", "HEAD", "POST"]),
        ],
        lifespan=lifespan,
    )
    app.state.gateway = gateway
    return app


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
    return PlainTextResponse(
        error.text + "\n",
        status_code=error.status,
        headers={"X-ClickHouse-Exception-Code": str(error.code)},
    )


async def _skip_rest(pieces: AsyncIterator[bytes]) -> None:
    """Read what is left of a body, within bounds: many clients read no answer before all is sent."""
    skipped = 0
    with contextlib.suppress(ClientDisconnect, TimeoutError, RuntimeError):
        async with asyncio.timeout(_SKIP_SECONDS):
            async for piece in pieces:
                skipped += len(piece)
                if skipped > _SKIP_BYTES:
                    return


async def _sweep_sessions(gateway: Gateway) -> None:
    while True:
        await asyncio.sleep(_SESSION_SWEEP_SECONDS)
        await gateway.in_thread(gateway.sessions.close_expired)
