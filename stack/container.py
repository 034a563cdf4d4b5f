"""The entry point of the project's images: a service of the stack becomes the container's process.

In a container nothing of an earlier life is left over, the port is the container's own, and restarts are
Docker's work. What a service runs with is the same as without Docker: its declaration in `stack.services`.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from typing import NoReturn

from clickstream.errors import ClickstreamError
from clickstream.etl.upgrade import upgrade_warehouse
from clickstream.settings import Settings, get_settings
from clickstream.topics import ensure_topics
from stack.health import health_problem
from stack.paths import StackPaths
from stack.services import service_named


def become(name: str, settings: Settings) -> NoReturn:
    """Replace this process with the service, on the interpreter that the image has for it."""
    service = service_named(name)
    _, *arguments = (str(word) for word in service.command(settings))
    home = StackPaths(settings.stack.data_path).home_of(name)
    if home.is_dir():
        os.chdir(home)
    environment = {**os.environ, "PYTHONUNBUFFERED": "1", **service.environment(settings)}
    os.execve(sys.executable, [sys.executable, *arguments], environment)  # noqa: S606 -- no shell is wanted


def prepare(settings: Settings) -> None:
    """Bring tables, views and topics up to date; does nothing where they are.

    Raises:
        ClickstreamError: ClickHouse or the broker refuses.
    """
    upgrade_warehouse(settings)
    ensure_topics(settings.broker)


def main(arguments: Sequence[str]) -> int:
    """Do what the container's command says; gives the exit code."""
    parser = argparse.ArgumentParser(prog="python -m stack.container", description="Run inside a container.")
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("service", nargs="?", help="become this service")
    what.add_argument("--healthy", metavar="SERVICE", help="exit with 1 and the reason unless it is healthy")
    what.add_argument("--prepare", action="store_true", help="bring tables, views and topics up to date")
    options = parser.parse_args(arguments)
    try:
        settings = get_settings()
        if options.prepare:
            prepare(settings)
        elif options.healthy:
            problem = health_problem(service_named(options.healthy), settings)
            if problem:
                sys.stderr.write(f"{options.healthy} {problem}\n")
            return 1 if problem else 0
        else:
            become(options.service, settings)
    except (ClickstreamError, ValueError) as error:
        sys.stderr.write(f"{error}\n{getattr(error, 'hint', '')}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
