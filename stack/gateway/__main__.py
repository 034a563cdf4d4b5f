"""Runs the gateway: `python -m stack.gateway`."""

import logging
import signal
import sys
from typing import Final

import uvicorn

from clickstream.errors import ClickstreamError
from clickstream.settings import Settings, get_settings
from stack.gateway.app import create_app
from stack.gateway.engine import Engine

_log: Final = logging.getLogger(__name__)

# How long running statements may take to end when the gateway is asked to stop.
_STOP_SECONDS: Final = 20
# clickhouse-connect drops a connection after ten minutes. Closing it earlier could hit it just as it sends an
# insert, which it would not dare to repeat.
_KEEP_ALIVE_SECONDS: Final = 900
# A query may come in the address, so a request line may be long.
MAX_HEADER_BYTES: Final = 1024 * 1024


def main() -> int:
    """Serve until the process is asked to stop; the exit code."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    settings = get_settings()
    directory = settings.stack.data_path / "clickhouse"
    try:
        with Engine(directory, settings.clickhouse.database, settings.clickhouse.max_memory_bytes) as engine:
            _log.info("ClickHouse %s is open at %s", engine.version, directory)
            return _serve(settings, engine)
    except ClickstreamError as error:
        sys.stderr.write(f"{error} {error.hint}\n")
        return 1


def _serve(settings: Settings, engine: Engine) -> int:
    # The server ends what runs, then raises the signal again; the engine is still to be closed by then.
    for stopping in (signal.SIGTERM, signal.SIGINT):
        signal.signal(stopping, lambda *_: None)
    server = uvicorn.Server(
        uvicorn.Config(
            create_app(settings.clickhouse, engine),
            host=settings.stack.host,
            port=settings.clickhouse.port,
            access_log=False,
            # As fast as the other one for our few, large requests, and it bounds the headers.
            http="h11",
            log_config=None,
            timeout_graceful_shutdown=_STOP_SECONDS,
            timeout_keep_alive=_KEEP_ALIVE_SECONDS,
            h11_max_incomplete_event_size=MAX_HEADER_BYTES,
            server_header=False,
        )
    )
    server.run()
    return 0 if server.started else 1


if __name__ == "__main__":
    sys.exit(main())
