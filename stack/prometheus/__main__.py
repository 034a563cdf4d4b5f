"""`python -m stack.prometheus run|node-exporter|install`: become a service, or fetch the programs.

`install --optional` says in one line what is missing, and is content without it.
"""

import os
import sys
from collections.abc import Sequence

from clickstream.errors import ClickstreamError
from clickstream.settings import get_settings
from stack.prometheus.configuration import node_exporter_command, prometheus_command, write_files
from stack.prometheus.install import ensure_installed


def command_of(service: str) -> Sequence[str]:
    """The command that becomes the service."""
    settings = get_settings()
    if service == "node-exporter":
        return node_exporter_command(settings)
    return prometheus_command(settings, write_files(settings))


def main(arguments: list[str]) -> int:
    """Do what the first argument says; the exit code."""
    if arguments[:1] == ["install"]:
        return install(is_optional="--optional" in arguments)
    if arguments not in (["run"], ["node-exporter"]):
        sys.stderr.write(f"{__doc__}\n")
        return 2
    try:
        command = list(command_of(arguments[0]))
        os.execv(command[0], command)  # noqa: S606 -- no shell is wanted
    except (ClickstreamError, OSError) as error:
        sys.stderr.write(f"{arguments[0]} can't be started: {error} {getattr(error, 'hint', '')}\n")
        return 1


def install(*, is_optional: bool) -> int:
    """Fetch what is missing; the exit code."""
    try:
        ensure_installed(_say)
    except ClickstreamError as error:
        sys.stderr.write(f"{error} {error.hint}\n")
        return 0 if is_optional else 1
    return 0


def _say(message: str) -> None:
    sys.stdout.write(f"{message}\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
