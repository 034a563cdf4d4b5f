"""The control of the live generator over HTTP.

It takes JSON only, and only under the names that the settings allow: so a page of another site can't steer
it through the browser of somebody who sits at this machine.
"""

from collections.abc import Callable
from typing import Any, Final

import msgspec
from prometheus_client import generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from generator.live.control import LiveGenerator, NotPossibleError
from generator.live.metrics import make_registry
from generator.live.options import BadOptionsError, LiveOptions, OptionError, parse_options

MAX_BODY_BYTES: Final = 10_000
_JSON: Final = "application/json"


class _Refusal(msgspec.Struct):
    """What is answered to a request that can't be met."""

    errors: list[OptionError]
    hint: str = ""


def create_app(generator: LiveGenerator, allowed_hosts: str) -> Starlette:
    """The control of a generator.

    Args:
        generator: What is controlled.
        allowed_hosts: Names under which it may be called, with commas between; `*` for any.
    """
    registry = make_registry(generator)

    async def get_status(_: Request) -> Response:
        return await _answer(generator.status)

    async def start(request: Request) -> Response:
        options = parse_options(await _read_json(request), LiveOptions())

        def act() -> Any:
            generator.start(options)
            return generator.status()

        return await _answer(act)

    async def stop(request: Request) -> Response:
        await _read_json(request)

        def act() -> Any:
            generator.stop()
            return generator.status()

        return await _answer(act)

    async def change_rate(request: Request) -> Response:
        body = await _read_json(request)
        options = parse_options(body, generator.options, ("rate_per_second",))

        def act() -> Any:
            generator.change_rate(options)
            return generator.status()

        return await _answer(act)

    async def metrics(_: Request) -> Response:
        text = await run_in_threadpool(generate_latest, registry)
        return Response(text, headers={"content-type": CONTENT_TYPE_LATEST})

    hosts = [name.strip() for name in allowed_hosts.split(",") if name.strip()]
    return Starlette(
        routes=[
            Route("/status", get_status, methods=["GET"]),
            Route("/start", start, methods=["POST"]),
            Route("/stop", stop, methods=["POST"]),
            Route("/rate", change_rate, methods=["POST"]),
            Route("/health/live", _is_alive, methods=["GET"]),
            Route("/metrics", metrics, methods=["GET"]),
        ],
        middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=hosts)],
        exception_handlers={
            BadOptionsError: _refuse_options,
            NotPossibleError: _refuse_state,
            HTTPException: _refuse,
        },
    )


async def _is_alive(_: Request) -> Response:
    return PlainTextResponse("ok\n")


async def _answer(act: Callable[[], Any]) -> Response:
    """The result of something that may wait for a thread."""
    return _json(await run_in_threadpool(act))


async def _read_json(request: Request) -> bytes:
    """The body of a request, which must say that it is JSON, also if it is empty.

    Raises:
        HTTPException: It is of another type, or too long.
    """
    content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if content_type != _JSON:
        raise HTTPException(415, f"The content type must be {_JSON}, not {content_type or 'absent'}.")
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > MAX_BODY_BYTES:
            raise HTTPException(413, f"The body is longer than {MAX_BODY_BYTES} bytes.")
    return bytes(body)


async def _refuse_options(_: Request, error: Exception) -> Response:
    errors = error.errors if isinstance(error, BadOptionsError) else []
    return _json(_Refusal(errors), 400)


async def _refuse_state(_: Request, error: Exception) -> Response:
    hint = error.hint if isinstance(error, NotPossibleError) else ""
    return _json(_Refusal([OptionError("", str(error), "")], hint), 409)


async def _refuse(_: Request, error: Exception) -> Response:
    status, detail, headers = 500, str(error), None
    if isinstance(error, HTTPException):
        status, detail, headers = error.status_code, error.detail, error.headers
    return _json(_Refusal([OptionError("", detail, "")]), status, dict(headers or {}))


def _json(value: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return Response(msgspec.json.encode(value), status, headers, media_type=_JSON)
