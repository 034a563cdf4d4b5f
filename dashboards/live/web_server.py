"""Superset's web server.

Waitress receives a request whole, and only then gives it to one of the threads that answer; it sends answers
in the same way. With a server whose threads read and write themselves, as many slow clients as there are
threads would keep everybody out.
"""

import logging
import signal
import sys
from typing import TYPE_CHECKING, Final

import waitress

from clickstream.settings import Settings

if TYPE_CHECKING:
    from flask import Flask

_CONNECTIONS: Final = 1_000
_SILENT_SECONDS: Final = 30
"""Connections on which nothing happens for so long are closed, unless an answer is being made."""

_MAX_HEAD_BYTES: Final = 65_536
_MAX_BODY_BYTES: Final = 4_194_304
"""Ample for a dashboard's layout, the largest thing that browsers send here."""


def run(settings: Settings) -> None:
    """Serve until the process is asked to stop."""
    from superset.app import create_app  # noqa: PLC0415 -- reads the environment when it is imported

    app: Flask = create_app()
    # It warns whenever a request has to wait for a thread.
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)
    server = waitress.create_server(
        app,
        host=settings.stack.host,
        port=settings.superset.port,
        threads=settings.superset.threads,
        connection_limit=_CONNECTIONS,
        channel_timeout=_SILENT_SECONDS,
        cleanup_interval=_SILENT_SECONDS // 3,
        max_request_header_size=_MAX_HEAD_BYTES,
        max_request_body_size=_MAX_BODY_BYTES,
        # The other way to wait for connections is limited to 1,024 open files.
        asyncore_use_poll=True,
        log_socket_errors=False,
        ident="",
        # A proxy on this machine says whether the browser speaks TLS.
        trusted_proxy="127.0.0.1",
        trusted_proxy_headers={"x-forwarded-proto"},
    )
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    server.run()
