"""`python -m control_panel`: serve the panel until the process is asked to stop."""

import logging
import sys
from typing import Final

import uvicorn

from clickstream import logs
from clickstream.errors import ClickstreamError
from clickstream.settings import get_settings
from control_panel.server import create_app

_MAX_MESSAGE_BYTES: Final = 4_000_000
"""Longest message of a browser: the state of a page's widgets."""

_STOP_SECONDS: Final = 3


def main() -> int:
    """Serve; the exit code."""
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
    server = uvicorn.Server(
        uvicorn.Config(
            app,
            host=settings.stack.host,
            port=settings.panel.port,
            ws="websockets-sansio",
            ws_max_size=_MAX_MESSAGE_BYTES,
            access_log=False,
            log_config=None,
            server_header=False,
            timeout_graceful_shutdown=_STOP_SECONDS,
        )
    )
    server.run()
    return 0 if server.started else 1


if __name__ == "__main__":
    sys.exit(main())
