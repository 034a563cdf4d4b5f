"""The project's containers without an engine: their commands, volumes and settings, on this machine.

Each container has a directory in which its volumes are mounted, as symbolic links, and may write to these and
to its temporary files only (`walled.py`).
"""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import psutil
import yaml

from clickstream.settings import PROJECT_ROOT
from stack.processes import end_processes
from stack.services import MAGE_PYTHON, MAIN_PYTHON, SUPERSET_PYTHON

PROGRAMS: Final = {
    "project": MAIN_PYTHON.parent,
    "mage": MAGE_PYTHON.parent,
    "superset": SUPERSET_PYTHON.parent,
}
"""Where each image has its programs."""

WALLED: Final = str(Path(__file__).with_name("walled.py"))
DATA: Final = "/var/lib/clickstream"
SERVICES: Final[Mapping[str, Any]] = yaml.safe_load((PROJECT_ROOT / "docker-compose.yml").read_text())[
    "services"
]


def image_of(container: str) -> str:
    """The last part of the image's name."""
    return str(SERVICES[container]["image"]).partition(":")[0].removeprefix("clickstream/")


class Containers:
    """Containers that share volumes.

    Args:
        directory: Holds the volumes, and what each container sees of them.
        settings: Environment variables that each container gets.
        root: What the images have at `/opt/clickstream`.
    """

    def __init__(self, directory: Path, settings: Mapping[str, str], root: Path = PROJECT_ROOT) -> None:
        directory.mkdir()
        self._directory = directory
        # Mage binds sockets there, whose paths have at most 107 characters.
        self._temporary = TemporaryDirectory(prefix="containers-")
        self.settings = settings
        self._root = root
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    def data_of(self, container: str) -> Path:
        """What the container has at `/var/lib/clickstream`."""
        return self._directory / container

    def output_of(self, container: str) -> str:
        """What it wrote to standard output and standard error."""
        return (self._directory / f"{container}.log").read_text()

    def volume(self, name: str) -> Path:
        """Where a volume's files are."""
        return self._directory / "volumes" / name

    def start(self, container: str, arguments: Sequence[str] = ()) -> subprocess.Popen[bytes]:
        """Start a container, with its command or with these arguments of its program."""
        [program, *command] = SERVICES[container].get("entrypoint", []) + SERVICES[container]["command"]
        temporary = Path(self._temporary.name, container)
        temporary.mkdir(exist_ok=True)
        walls = map(str, (*self._mount(container), temporary))
        path = PROGRAMS[image_of(container)] / program
        with (self._directory / f"{container}.log").open("wb") as output:
            self._running[container] = subprocess.Popen(
                [sys.executable, WALLED, *walls, "--", str(path), *(arguments or command)],
                cwd=self._root,
                env={
                    "PATH": os.defpath,
                    "CLICKSTREAM_ENV_FILE": str(self._directory / "none"),
                    **self.settings,
                    "CLICKSTREAM_STACK__DATA_DIR": str(self.data_of(container)),
                    "PYTHONPATH": str(self._root),
                    "HOME": str(temporary),
                    "TMPDIR": str(temporary),
                },
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        return self._running[container]

    def run(self, *containers: str, arguments: Sequence[str] = ()) -> None:
        """Run containers that end by themselves, at the same time."""
        started = {container: self.start(container, arguments) for container in containers}
        for container, process in started.items():
            assert process.wait(timeout=600) == 0, self.output_of(container)

    def stop(self) -> None:
        """Ask all of them to stop, wait for that, and end what is left, as an engine does."""
        alive = [process for process in self._running.values() if process.poll() is None]
        family = [child for one in alive for child in psutil.Process(one.pid).children(recursive=True)]
        for process in alive:
            process.terminate()
        for process in alive:
            process.wait(timeout=120)
        end_processes(family, patience_seconds=0)

    def _mount(self, container: str) -> list[Path]:
        """Make the container's directory; gives the volumes that it may write to."""
        writable = []
        self.data_of(container).mkdir(exist_ok=True)
        for mount in SERVICES[container].get("volumes", []):
            source, target, *mode = mount.split(":")
            if target.startswith(DATA):
                volume = self.volume(source)
                volume.mkdir(parents=True, exist_ok=True)
                link = self._directory / container / Path(target).relative_to(DATA)
                if not link.is_symlink():
                    link.symlink_to(volume)
            else:
                volume = self._root / Path(target).relative_to("/opt/clickstream")
                volume.mkdir(exist_ok=True)
            if mode != ["ro"]:
                writable.append(volume)
        return writable
