"""The entry point of the project's images: a container keeps one service of the stack.

What the service runs with is the same as without Docker: its declaration in `stack.services`. It is looked
after in the same way, too: where it no longer does its work, it is ended, the container ends with it, and
Docker's restart policy starts both again. What is known of it lies in `run/health`, which the exporter reads.
"""

import argparse
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from msgspec import structs
from supervisor.states import ProcessStates

from clickstream.errors import ClickstreamError
from clickstream.etl.upgrade import upgrade_warehouse
from clickstream.settings import Settings, get_settings
from clickstream.topics import ensure_topics
from stack.health_report import HealthReport, HealthState, read_report
from stack.paths import StackPaths
from stack.resource_use import ResourceUse, families_of, use_of
from stack.services import Service, service_named
from stack.supervision import ProcessInfo
from stack.watchdog import LOOK_SECONDS, WRITE_SECONDS, Watchdog, try_to_write

_MEASURE_SECONDS: Final = 15.0

_LOST_PROCESS: Final = -1
"""Stands for the process of the container's last life, so that this one counts as a restart."""


def keep(service: Service, settings: Settings) -> int:
    """Run the service and look after it until it ends; gives its exit code.

    It is asked to stop when this process is, and ended where it no longer does its work.
    """
    paths = StackPaths(settings.stack.data_path)
    process = _start(service, settings, paths)
    report = paths.run / "health" / f"{service.name}.json"
    report.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    watchdog = Watchdog([service], settings, _last_life(report))
    watchdog.start()
    is_asked_to_stop = threading.Event()

    def stop(*_: object) -> None:
        is_asked_to_stop.set()
        # From now on it is not looked after: a service that is stopping may not answer.
        watchdog.look({})
        process.send_signal(getattr(signal, f"SIG{service.stop_signal}"))

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    info = ProcessInfo(ProcessStates.RUNNING, process.pid, int(time.time()), stopped_at=0, trouble="")
    written_at, measured_at = 0.0, 0.0
    known = None
    use: dict[str, ResourceUse] = {}
    while process.poll() is None:
        found = watchdog.look({} if is_asked_to_stop.is_set() else {service.name: info})
        if time.monotonic() - measured_at >= _MEASURE_SECONDS:
            families = families_of({service.name: process.pid})
            use = {name: use_of(pids) for name, pids in families.items()}
            measured_at = time.monotonic()
        if found.services != known or time.monotonic() - written_at >= WRITE_SECONDS:
            try_to_write(report, structs.replace(found, use=use))
            known, written_at = found.services, time.monotonic()
        time.sleep(LOOK_SECONDS)
    state = ProcessStates.STOPPED if is_asked_to_stop.is_set() else ProcessStates.EXITED
    ended = replace(info, state=state, pid=0, exit_code=max(process.returncode, -1))
    try_to_write(report, watchdog.look({service.name: ended}))
    return process.returncode if process.returncode >= 0 else 128 - process.returncode


def _start(service: Service, settings: Settings, paths: StackPaths) -> subprocess.Popen[bytes]:
    """Start the service on the interpreter that the image has for it."""
    home = paths.home_of(service.name)
    return subprocess.Popen(
        _on_this_python(service.command(settings)),
        cwd=home if home.is_dir() else None,
        env=_environment(service, settings),
        # As the supervisor does, so that the whole group can be ended.
        start_new_session=True,
    )


def _on_this_python(command: Sequence[str | Path]) -> list[str]:
    return [sys.executable, *map(str, command[1:])]


def _environment(service: Service, settings: Settings) -> dict[str, str]:
    return {**os.environ, "PYTHONUNBUFFERED": "1", **service.environment(settings)}


def _last_life(path: Path) -> HealthReport | None:
    """What was known before this container started; in each, the process may have the same id."""
    report = read_report(path)
    if report is not None:
        for one in report.services.values():
            one.pid = _LOST_PROCESS if one.state is not HealthState.STOPPED else 0
    return report


def prepare(settings: Settings) -> None:
    """Bring tables, views and topics up to date; does nothing where they are.

    Raises:
        ClickstreamError: ClickHouse or the broker refuses.
    """
    upgrade_warehouse(settings)
    ensure_topics(settings.broker)


def set_up(service: Service, settings: Settings) -> int:
    """Fill the service's data directory before the service's own container starts; gives the exit code.

    Raises:
        ClickstreamError: The service does not need it.
    """
    if service.set_up is None:
        raise ClickstreamError(f"{service.name} needs no set-up of its own.")
    command = _on_this_python(service.set_up)
    return subprocess.run(command, env=_environment(service, settings), check=False).returncode


def main(arguments: Sequence[str]) -> int:
    """Do what the container's command says; gives the exit code."""
    parser = argparse.ArgumentParser(prog="python -m stack.container", description="Run inside a container.")
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("service", nargs="?", help="keep this service")
    what.add_argument("--set-up", metavar="SERVICE", help="fill its data directory, before it is started")
    what.add_argument("--prepare", action="store_true", help="bring tables, views and topics up to date")
    options = parser.parse_args(arguments)
    try:
        settings = get_settings()
        if options.prepare:
            prepare(settings)
        elif options.set_up:
            return set_up(service_named(options.set_up), settings)
        else:
            return keep(service_named(options.service), settings)
    except (ClickstreamError, ValueError) as error:
        sys.stderr.write(f"{error}\n{getattr(error, 'hint', '')}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
