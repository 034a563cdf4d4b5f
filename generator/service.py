"""The live generators as a service: `python -m generator.service`."""

import logging
import signal
import sys
from typing import Final

import uvicorn

from clickstream import logs
from clickstream.errors import ClickstreamError
from clickstream.settings import get_settings
from generator.live.account import Account
from generator.live.app import create_app
from generator.live.fleet import Fleet
from serving.protocol import BoundedProtocol

JOURNAL: Final = "journal.jsonl"

_STOP_SECONDS: Final = 5


def main() -> int:
    """Serve until the process is asked to stop; the exit code."""
    logs.configure("generator")
    # They tell of every try and every request; what matters of that, the senders say.
    logging.getLogger("kafka").setLevel(logging.CRITICAL)
    logging.getLogger("httpx").setLevel(logging.WARNING)
    settings = get_settings()
    # The server ends first, then raises the signal again; the account is still to be closed by then.
    for stopping in (signal.SIGTERM, signal.SIGINT):
        signal.signal(stopping, lambda *_: None)
    try:
        fleet = Fleet(settings, Account(settings.stack.data_path / "generator" / JOURNAL))
    except ClickstreamError as error:
        sys.stderr.write(f"{error} {error.hint}\n")
        return 1
    try:
        server = uvicorn.Server(
            uvicorn.Config(
                create_app(fleet, settings.generator.allowed_hosts),
                host=settings.stack.host,
                port=settings.generator.port,
                http=BoundedProtocol,
                ws="none",
                access_log=False,
                log_config=None,
                proxy_headers=False,
                timeout_graceful_shutdown=_STOP_SECONDS,
                server_header=False,
            )
        )
        server.run()
    finally:
        fleet.close()
    return 0 if server.started else 1


if __name__ == "__main__":
    sys.exit(main())
