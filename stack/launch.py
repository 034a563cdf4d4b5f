"""Become a service: what the supervisor runs as `python -m stack.launch NAME`.

Being the last step before the service itself, it works at every start, also after a crash: it ends what an
earlier life of the service left running or lying about, gives the service its settings and secrets, and gives
up its place.
"""

import logging
import os
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final, NoReturn

from clickstream import logs
from clickstream.errors import ClickstreamError
from clickstream.settings import Settings, env_file, get_settings
from stack.paths import StackPaths, private_directory
from stack.processes import described, end_processes, holder_of, is_free, marks, processes_of
from stack.services import Service, service_named

_log: Final = logging.getLogger(__name__)


def service_environment(service: Service, settings: Settings) -> Mapping[str, str]:
    """The whole environment of the service's process."""
    return {
        **os.environ,
        "CLICKSTREAM_ENV_FILE": str(env_file()),
        "PYTHONUNBUFFERED": "1",
        "TMPDIR": str(StackPaths(settings.stack.data_path).temporary_of(service.name)),
        **marks(settings.stack.data_path, service.name),
        **service.environment(settings),
    }


def launch(name: str) -> NoReturn:
    """Replace this process with the service."""
    settings = get_settings()
    service = service_named(name)
    end_leftovers(service, settings)
    refuse_taken_port(service, settings)
    command = [str(word) for word in service.command(settings)]
    if not Path(command[0]).exists():
        raise ClickstreamError(f"{command[0]} is missing; run `make setup`.")
    paths = StackPaths(settings.stack.data_path)
    home = paths.home_of(name)
    home.mkdir(mode=0o700, exist_ok=True)
    empty_temporary_directory(paths, name)
    os.chdir(home)
    os.execve(command[0], command, service_environment(service, settings))  # noqa: S606 -- no shell is wanted


def end_leftovers(service: Service, settings: Settings) -> None:
    """End children of an earlier life of the service: they would hold its port or its data."""
    leftovers = processes_of(settings.stack.data_path, service.name)
    for process in leftovers:
        _log.warning("Ending %s, left over from an earlier start.", described(process))
    end_processes(leftovers, service.stop_timeout_seconds or settings.stack.stop_timeout_seconds)


def empty_temporary_directory(paths: StackPaths, name: str) -> None:
    """Give the service an empty directory for temporary files: a killed process leaves its own behind."""
    private_directory(paths.short_directory)
    shutil.rmtree(paths.temporary_of(name), ignore_errors=True)
    private_directory(paths.temporary_of(name))


def refuse_taken_port(service: Service, settings: Settings) -> None:
    """Fail where the port is taken: some servers would quietly take another one.

    Raises:
        ClickstreamError: The port is taken.
    """
    port = service.port(settings)
    if not is_free(service.listens_on(settings), port):
        holder = holder_of(port)
        raise ClickstreamError(
            f"Port {port} is taken by {described(holder) if holder else 'another process'}."
        )


if __name__ == "__main__":
    logs.configure(sys.argv[1])
    try:
        launch(sys.argv[1])
    except (ClickstreamError, OSError) as error:
        _log.error("%s can't be started: %s", sys.argv[1], error)
        sys.exit(1)
