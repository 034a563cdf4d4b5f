"""What a container runs: the service, looked after as without Docker."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from clickstream.settings import PROJECT_ROOT
from stack.processes import free_port
from tests.waiting import wait_until

Start = Callable[[], subprocess.Popen[bytes]]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts a container of the generator, again with the same data, and ends what is left of it."""
    port = free_port("127.0.0.1")
    environment = {
        "PATH": os.defpath,
        "CLICKSTREAM_ENV_FILE": str(tmp_path / "none"),
        "CLICKSTREAM_STACK__DATA_DIR": str(tmp_path / "data"),
        "CLICKSTREAM_STACK__HEALTH_CHECK_SECONDS": "0.2",
        "CLICKSTREAM_STACK__HEALTH_TIMEOUT_SECONDS": "0.5",
        "CLICKSTREAM_STACK__HEALTH_FAILURES_BEFORE_RESTART": "2",
        "CLICKSTREAM_STACK__STOP_TIMEOUT_SECONDS": "2",
        "CLICKSTREAM_GENERATOR__PORT": str(port),
    }
    started: list[subprocess.Popen[bytes]] = []

    def run() -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "stack.container", "generator"]
        started.append(subprocess.Popen(command, cwd=PROJECT_ROOT, env=environment))
        return started[-1]

    yield run
    for container in started:
        if container.poll() is None:
            for process in psutil.Process(container.pid).children(recursive=True):
                process.kill()
            container.kill()
            container.wait()


def reported(data: Path) -> dict[str, Any]:
    path = data / "run" / "health" / "generator.json"
    return dict(json.loads(path.read_bytes())["services"]["generator"]) if path.exists() else {"state": ""}


def is_up(data: Path) -> bool:
    return str(reported(data)["state"]) == "up"


def test_a_service_that_hangs_ends_its_container_and_the_next_one_tells_of_it(
    start: Start, tmp_path: Path
) -> None:
    data = tmp_path / "data"
    container = start()
    wait_until(lambda: is_up(data))
    [service] = psutil.Process(container.pid).children()

    service.send_signal(signal.SIGSTOP)

    assert container.wait(timeout=60) != 0
    assert not service.is_running()
    start()
    wait_until(lambda: is_up(data))
    assert reported(data)["restarts"] == 1


def test_a_container_that_is_stopped_ends_its_service_in_order(start: Start, tmp_path: Path) -> None:
    data = tmp_path / "data"
    container = start()
    wait_until(lambda: is_up(data))

    container.send_signal(signal.SIGTERM)

    assert container.wait(timeout=60) == 0
    assert reported(data)["state"] == "stopped"
    start()
    wait_until(lambda: is_up(data))
    assert reported(data)["restarts"] == 0
