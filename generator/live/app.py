"""The control of the live generator over HTTP.

It takes JSON only, and only under the names that the settings allow; so a page of another site can't steer
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
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from generator.live.control import NotPossibleError
from generator.live.fleet import Fleet, UnknownGeneratorError
from generator.live.metrics import make_registry
from generator.live.options import (
    DEFAULT_GENERATOR,
    BadOptionsError,
    LiveOptions,
    OptionError,
    parse_options,
)
from serving.host_names import allowed_host_check
from serving.hosts import KnownHosts

MAX_BODY_BYTES: Final = 10_000
_JSON: Final = "application/json"


class _Refusal(msgspec.Struct):
    """What is answered to a request that can't be met."""

    errors: list[OptionError]
    hint: str = ""


class _Control:
    """The handlers; those of paths without a name are about the default generator."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet
        self._registry = make_registry(fleet)

    async def get_status(self, _: Request) -> Response:
        return await _answer(self._fleet.status)

    async def list_generators(self, _: Request) -> Response:
        return await _answer(self._fleet.statuses)

    async def start(self, request: Request) -> Response:
        options = parse_options(await _read_json(request), LiveOptions())
        return await self._change(request, lambda: self._fleet.start(_name(request), options))

    async def stop(self, request: Request) -> Response:
        await _read_json(request)
        return await self._change(request, lambda: self._fleet.generator(_name(request)).stop())

    async def change_rate(self, request: Request) -> Response:
        body = await _read_json(request)
        generator = self._fleet.generator(_name(request))
        options = parse_options(body, generator.options, ("rate_per_second",))
        return await self._change(request, lambda: generator.change_rate(options))

    async def remove(self, request: Request) -> Response:
        await _read_json(request)

        def act() -> Any:
            self._fleet.remove(_name(request))
            return self._fleet.statuses()

        return await _answer(act)

    async def metrics(self, _: Request) -> Response:
        text = await run_in_threadpool(generate_latest, self._registry)
        return Response(text, headers={"content-type": CONTENT_TYPE_LATEST})

    async def _change(self, request: Request, change: Callable[[], Any]) -> Response:
        """Change a generator, and answer how it stands; without a name, with what all of them have sent."""

        def act() -> Any:
            change()
            is_named = "name" in request.path_params
            return self._fleet.generator(_name(request)).status() if is_named else self._fleet.status()

        return await _answer(act)


def create_app(fleet: Fleet, allowed_hosts: str) -> Starlette:
    """The control of the generators.

    Args:
        fleet: What is controlled.
        allowed_hosts: Names under which it may be called, with commas between; `*` for any.
    """
    control = _Control(fleet)
    app = Starlette(
        routes=[
            Route("/status", control.get_status, methods=["GET"]),
            Route("/start", control.start, methods=["POST"]),
            Route("/stop", control.stop, methods=["POST"]),
            Route("/rate", control.change_rate, methods=["POST"]),
            Route("/generators", control.list_generators, methods=["GET"]),
            Route("/generators/{name}", control.remove, methods=["DELETE"]),
            Route("/generators/{name}/start", control.start, methods=["POST"]),
            Route("/generators/{name}/stop", control.stop, methods=["POST"]),
            Route("/generators/{name}/rate", control.change_rate, methods=["POST"]),
            Route("/health/live", _is_alive, methods=["GET"]),
            Route("/metrics", control.metrics, methods=["GET"]),
        ],
        middleware=[
            Middleware(
                KnownHosts,
                is_allowed=allowed_host_check(allowed_hosts),
                setting_name="CLICKSTREAM_GENERATOR__ALLOWED_HOSTS",
                refuse=_refuse_host,
            )
        ],
        exception_handlers={
            BadOptionsError: _refuse_options,
            NotPossibleError: _refuse_state,
            UnknownGeneratorError: _refuse_name,
            HTTPException: _refuse,
        },
    )
    # A redirect of the framework's would lead to whatever host the sender named.
    app.router.redirect_slashes = False
    return app


def _name(request: Request) -> str:
    return str(request.path_params.get("name", DEFAULT_GENERATOR))


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


def _refuse_host(message: str) -> Response:
    return _json(_Refusal([OptionError("", message, "")]), 403)


async def _refuse_options(_: Request, error: Exception) -> Response:
    errors = error.errors if isinstance(error, BadOptionsError) else []
    return _json(_Refusal(errors), 400)


async def _refuse_state(_: Request, error: Exception) -> Response:
    hint = error.hint if isinstance(error, NotPossibleError) else ""
    return _json(_Refusal([OptionError("", str(error), "")], hint), 409)


async def _refuse_name(_: Request, error: Exception) -> Response:
    hint = error.hint if isinstance(error, UnknownGeneratorError) else ""
    return _json(_Refusal([OptionError("name", str(error), "")], hint), 404)


async def _refuse(_: Request, error: Exception) -> Response:
    status, detail, headers = 500, str(error), None
    if isinstance(error, HTTPException):
        status, detail, headers = error.status_code, error.detail, error.headers
    return _json(_Refusal([OptionError("", detail, "")]), status, dict(headers or {}))


def _json(value: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return Response(msgspec.json.encode(value), status, headers, media_type=_JSON)
