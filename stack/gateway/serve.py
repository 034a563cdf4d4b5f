"""The database's process: confines itself, then opens the engine and serves. See `stack.gateway.__main__`."""

import logging
import os
import signal
import sys
from importlib import import_module, resources
from pathlib import Path
from typing import TYPE_CHECKING, Final

import uvicorn

from clickstream import logs
from clickstream.errors import ClickstreamError
from clickstream.storage.sql import WAREHOUSE_PATH
from stack.gateway.access import prepare_access
from stack.gateway.configuration import Configuration, temporary_directory
from stack.gateway.confinement import Walls, confine, missing_walls, program_paths
from stack.gateway.connections import GuardedProtocol

if TYPE_CHECKING:
    from stack.gateway.engine import Engine

_log: Final = logging.getLogger(__name__)

# How long running statements may take to end when the gateway is asked to stop.
_STOP_SECONDS: Final = 20
# clickhouse-connect drops a connection after ten minutes. Closing it earlier could hit it just as it sends an
# insert, which it would not dare to repeat.
_KEEP_ALIVE_SECONDS: Final = 900
# A query may come in the address, so a request line may be long.
MAX_HEADER_BYTES: Final = 1024 * 1024


def main(descriptor: int) -> int:
    """Serve until the process is asked to stop; the exit code."""
    logs.configure("clickhouse")
    configuration = Configuration.taken_over(descriptor)
    directory = Path(configuration.directory)
    directory.mkdir(parents=True, exist_ok=True)
    access = prepare_access(directory, configuration.database)
    _confine(directory, access)
    # The engine starts threads when it is imported, and walls hold for those that come later only.
    engine_class: type[Engine] = import_module("stack.gateway.engine").Engine
    try:
        with engine_class(directory, access, configuration.max_memory_bytes) as engine:
            _log.info("ClickHouse %s is open at %s", engine.version, directory)
            return _serve(configuration, engine)
    except ClickstreamError as error:
        sys.stderr.write(f"{error} {error.hint}\n")
        return 1


def _confine(directory: Path, access: Path) -> None:
    temporary = temporary_directory(directory)
    temporary.mkdir(exist_ok=True)
    os.environ["TMPDIR"] = str(temporary)
    own = (resources.files(name) for name in ("clickstream", "serving", "stack"))
    confine(
        Walls(
            readable=(
                *program_paths(
                    (sys.prefix, sys.base_prefix, str(Path(sys.executable).resolve().parent.parent))
                ),
                *(Path(str(path)) for path in own),
                WAREHOUSE_PATH,
                access,
            ),
            writable=(directory,),
        )
    )
    problem = missing_walls()
    _log.log(
        logging.WARNING if problem else logging.INFO,
        "%s",
        problem or "This process is confined: it reads its program and its data, and opens no connection",
    )


def _serve(configuration: Configuration, engine: "Engine") -> int:
    # The server ends what runs, then raises the signal again; the engine is still to be closed by then.
    for stopping in (signal.SIGTERM, signal.SIGINT):
        signal.signal(stopping, lambda *_: None)
    server = uvicorn.Server(
        uvicorn.Config(
            import_module("stack.gateway.app").create_app(configuration, engine),
            host=configuration.host,
            port=configuration.port,
            access_log=False,
            # As fast as the other one for our few, large requests, and it bounds the headers.
            http=GuardedProtocol,
            log_config=None,
            proxy_headers=False,
            timeout_graceful_shutdown=_STOP_SECONDS,
            timeout_keep_alive=_KEEP_ALIVE_SECONDS,
            h11_max_incomplete_event_size=MAX_HEADER_BYTES,
            server_header=False,
        )
    )
    server.run()
    return 0 if server.started else 1


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1])))
