"""Runs the service: `python -m api`."""

import gc
import logging
import signal
import sys
from typing import Final

import uvicorn

from api.app import create_app
from clickstream import logs
from clickstream.errors import ClickstreamError
from clickstream.settings import get_settings
from serving.protocol import BoundedProtocol

# Longer than clients and proxies commonly keep an idle connection, so that it is they who close it.
_KEEP_ALIVE_SECONDS: Final = 75
# The application gives up a slow body first, and answers.
_BODY_GRACE_SECONDS: Final = 10.0
_GC_THRESHOLDS: Final = (50_000, 20, 50)


def main() -> int:
    """Serves until the process is asked to stop; the exit code."""
    logs.configure("api")
    # They warn of every failed attempt to connect; `api.broker` and `api.tracing` tell once what matters.
    for library in ("aiokafka", "clickhouse_connect", "urllib3"):
        logging.getLogger(library).setLevel(logging.CRITICAL)
    try:
        settings = get_settings()
        app = create_app(settings)
    except (ClickstreamError, ValueError) as error:
        sys.stderr.write(f"The API can't be started: {error}\n")
        return 1
    # What was made until here stays; and requests leave few cycles, so looking for them that often is waste.
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_GC_THRESHOLDS)
    # uvicorn ends in order at these signals and then raises them again, which would hide the exit code.
    for stopping in (signal.SIGTERM, signal.SIGINT):
        signal.signal(stopping, lambda *_: None)
    BoundedProtocol.body_seconds = settings.api.body_timeout_seconds + _BODY_GRACE_SECONDS
    server = uvicorn.Server(
        uvicorn.Config(
            app,
            host=settings.stack.host,
            port=settings.api.port,
            http=BoundedProtocol,
            ws="none",
            access_log=False,
            log_config=None,
            proxy_headers=False,
            server_header=False,
            timeout_keep_alive=_KEEP_ALIVE_SECONDS,
            timeout_graceful_shutdown=settings.api.stop_timeout_seconds,
        )
    )
    server.run()
    return 0 if server.started else 1


if __name__ == "__main__":
    sys.exit(main())
