"""Counts and times every request to the panel, Streamlit's included, and serves the figures."""

import time
from typing import Final

from prometheus_client import generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from control_panel import metrics

METRICS_PATH: Final = "/metrics"
_OTHER: Final = "other"
_ROUTES: Final = ("/files", "/sign-in", "/sign-out", "/health", METRICS_PATH, "/static", "/_stcore")
"""Beginnings of paths that are told apart; the label must be from a closed list, whatever is asked for."""


class Observed:
    """Measures an application."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or one page's connection for as long as it is open."""
        if scope["type"] not in {"http", "websocket"}:
            await self._app(scope, receive, send)
            return
        route = _route(scope["path"])
        is_page = False
        status = "none"

        async def send_observed(message: Message) -> None:
            nonlocal status, is_page
            if message["type"] == "http.response.start":
                status = str(message["status"])
            elif message["type"] == "websocket.accept":
                status, is_page = "101", True
                metrics.OPEN_PAGES.inc()
            await send(message)

        began = time.perf_counter()
        try:
            await self._app(scope, receive, send_observed)
        finally:
            metrics.REQUESTS.labels(route, status).inc()
            if is_page:
                metrics.OPEN_PAGES.dec()
            else:
                metrics.REQUEST_SECONDS.labels(route).observe(time.perf_counter() - began)


async def serve_metrics(_: Request) -> Response:
    """Answer Prometheus."""
    return Response(generate_latest(metrics.REGISTRY), media_type=CONTENT_TYPE_LATEST)


def _route(path: str) -> str:
    return next((route for route in _ROUTES if path == route or path.startswith(f"{route}/")), _OTHER)
