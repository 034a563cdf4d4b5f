"""Runs the gateway: `python -m stack.gateway`."""

import logging
import sys
from typing import Final

import uvicorn

from clickstream.errors import ClickstreamError
from clickstream.settings import get_settings
from stack.gateway.app import create_app

# How long running statements may take to end when the gateway is asked to stop.
_STOP_SECONDS: Final = 20
_MAX_HEADER_BYTES: Final = 1024 * 1024


def main() -> int:
    """Serve until the process is asked to stop; the exit code."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    settings = get_settings()
    app = create_app(settings)
    config = uvicorn.Config(
        app,
        host=settings.stack.host,
        port=settings.clickhouse.port,
        access_log=False,
        log_config=None,
        timeout_graceful_shutdown=_STOP_SECONDS,
        h11_max_incomplete_event_size=_MAX_HEADER_BYTES,
        server_header=False,
    )
    try:
        server = uvicorn.Server(config)
        server.run()
    except ClickstreamError as error:
        sys.stderr.write(f"{error} {error.hint}\n")
        return 1
    return 0 if server.started else 1


if __name__ == "__main__":
    sys.exit(main())
