"""`python -m control_panel`: serve the panel until the process is asked to stop."""

import gc
import importlib
import logging
import sys
from typing import Final

import uvicorn

from clickstream import logs
from clickstream.errors import ClickstreamError
from clickstream.settings import get_settings
from control_panel.pages import all_pages
from control_panel.server import create_app
from serving.protocol import BoundedProtocol

_MAX_MESSAGE_BYTES: Final = 4_000_000
"""Longest message of a browser: the state of a page's widgets."""

_STOP_SECONDS: Final = 3
_BODY_SECONDS: Final = 600.0
"""How long one piece of an uploaded file may take."""


def main() -> int:
    """Serve; the exit code."""
    # Streamlit gives some loggers handlers of its own.
    logs.capture_output("panel")
    logs.configure("panel")
    logging.getLogger("httpx").setLevel(logging.WARNING)
    # Addresses may hold what a person searched for. Streamlit sets the level, so the logger is disabled.
    logging.getLogger("uvicorn.access").disabled = True
    settings = get_settings()
    try:
        app = create_app(settings)
    except ClickstreamError as error:
        sys.stderr.write(f"{error} {error.hint}\n")
        return 1
    _load_all()
    BoundedProtocol.body_seconds = _BODY_SECONDS
    server = uvicorn.Server(
        uvicorn.Config(
            app,
            host=settings.stack.host,
            port=settings.panel.port,
            http=BoundedProtocol,
            ws="websockets-sansio",
            ws_max_size=_MAX_MESSAGE_BYTES,
            access_log=False,
            log_config=None,
            proxy_headers=False,
            server_header=False,
            timeout_graceful_shutdown=_STOP_SECONDS,
        )
    )
    server.run()
    return 0 if server.started else 1


def _load_all() -> None:
    """Load what pages need, and exempt it from garbage collection.

    Streamlit collects all garbage after each update of each open page. Going through the loaded modules every
    time would cost more than the updates themselves.
    """
    all_pages()
    importlib.import_module("pandas")  # charts and tables load it late
    gc.collect()
    gc.freeze()


if __name__ == "__main__":
    sys.exit(main())
