"""Runs the exporter: `python -m monitoring.exporter`."""

import logging
import signal
import sys

import uvicorn

from clickstream import logs
from clickstream.settings import get_settings
from monitoring.exporter.app import create_app
from serving.protocol import BoundedProtocol


def main() -> int:
    """Serve until the process is asked to stop; the exit code."""
    logs.configure("exporter")
    # They tell of every try to connect; the probes say once what is away.
    for library in ("kafka", "urllib3", "clickhouse_connect"):
        logging.getLogger(library).setLevel(logging.CRITICAL)
    settings = get_settings()
    # The server ends in order at these signals and then raises them again, which would hide the exit code.
    for stopping in (signal.SIGTERM, signal.SIGINT):
        signal.signal(stopping, lambda *_: None)
    server = uvicorn.Server(
        uvicorn.Config(
            create_app(settings),
            host=settings.monitoring.exporter_host,
            port=settings.monitoring.exporter_port,
            http=BoundedProtocol,
            ws="none",
            access_log=False,
            log_config=None,
            proxy_headers=False,
            server_header=False,
            timeout_graceful_shutdown=2,
        )
    )
    server.run()
    return 0 if server.started else 1


if __name__ == "__main__":
    sys.exit(main())
