"""Finds Prometheus and node exporter, and fetches them where they are missing.

The system's own programs are used where it has them. Otherwise Debian's packages are unpacked into a folder
of the checkout: that needs no root, and starts no service of the system as installing them would.
"""

import fcntl
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from enum import StrEnum, unique
from pathlib import Path
from typing import Final

from clickstream.errors import ClickstreamError
from clickstream.settings import PROJECT_ROOT

# Beside the Python environments: not data of a stack, so that `make reset` and tests don't download it again.
HOME: Final = PROJECT_ROOT / ".prometheus"
PACKAGES: Final = ("prometheus", "prometheus-node-exporter")

_COMMAND_SECONDS: Final = 300
_APT_OPTIONS: Final = (
    *("-o", "Acquire::Retries=1"),
    *("-o", "Acquire::http::Timeout=15"),
    *("-o", "Acquire::https::Timeout=15"),
    # What downloads as root would else become another user, who can't write here.
    *("-o", "APT::Sandbox::User="),
)


@unique
class Program(StrEnum):
    """A program, by its name in Debian's packages."""

    PROMETHEUS = "prometheus"
    PROMTOOL = "promtool"
    NODE_EXPORTER = "prometheus-node-exporter"


_OTHER_NAMES: Final = {Program.NODE_EXPORTER: "node_exporter"}
"""Under these, the projects' own downloads have them."""


class PrometheusMissingError(ClickstreamError):
    """Prometheus is not here and can't be fetched."""


def find_program(program: Program) -> Path | None:
    """Where the program lies: on the path, or in the folder of this checkout; None if it is missing."""
    for name in filter(None, (program, _OTHER_NAMES.get(program))):
        if found := shutil.which(name):
            return Path(found)
    fetched = HOME / program
    return fetched if fetched.is_file() else None


def required(program: Program) -> Path:
    """Where the program lies.

    Raises:
        PrometheusMissingError: It is missing.
    """
    found = find_program(program)
    if found is None:
        raise PrometheusMissingError(
            f"{program} is missing.",
            hint="Run `make prometheus`, or install it (Debian, Ubuntu: apt-get install "
            f"{' '.join(PACKAGES)}; macOS: brew install prometheus node_exporter).",
        )
    return found


def missing_programs() -> Sequence[Program]:
    """The programs that are not here."""
    return [program for program in Program if find_program(program) is None]


def ensure_installed(say: Callable[[str], None]) -> None:
    """Fetch what is missing; does nothing if all is there.

    Args:
        say: Is told what is being done.

    Raises:
        PrometheusMissingError: This is no Debian or Ubuntu, or the packages can't be downloaded.
    """
    if not missing_programs():
        return
    HOME.mkdir(exist_ok=True)
    with _only_one_at_a_time():
        if not missing_programs():
            return
        for tool in ("apt-get", "dpkg-deb"):
            if shutil.which(tool) is None:
                raise _missing(f"there is no {tool} to fetch it with")
        say("Fetching Prometheus and node exporter, once (23 MB) …")
        with tempfile.TemporaryDirectory(dir=HOME, prefix="download-") as directory:
            _fetch(Path(directory))


def _fetch(directory: Path) -> None:
    """Download the packages, which apt verifies, and keep the programs that are in them."""
    packages = directory / "packages"
    packages.mkdir()
    download = ("apt-get", *_APT_OPTIONS, "download", *PACKAGES)
    if _problem(download, packages):
        # Fresh systems have no lists of packages yet; ours are made aside, which every user may do.
        lists = directory / "lists"
        (lists / "partial").mkdir(parents=True)
        aside = ("-o", f"Dir::State::Lists={lists}", "-o", f"Dir::Cache={directory / 'cache'}")
        steps = (
            ("apt-get", *_APT_OPTIONS, *aside, "update"),
            ("apt-get", *_APT_OPTIONS, *aside, "download", *PACKAGES),
        )
        for step in steps:
            if problem := _problem(step, packages):
                raise _missing(problem)
    for package in packages.glob("*.deb"):
        if problem := _problem(("dpkg-deb", "--extract", str(package), "unpacked"), packages):
            raise _missing(problem)
    for program in missing_programs():
        unpacked = packages / "unpacked" / "usr" / "bin" / program
        if not unpacked.is_file():
            raise _missing(f"the packages hold no {program}")
        unpacked.rename(HOME / program)


def _problem(command: Sequence[str], directory: Path) -> str:
    """Run a command; gives the last line that it said if it failed, else nothing."""
    try:
        finished = subprocess.run(
            command, cwd=directory, capture_output=True, text=True, check=False, timeout=_COMMAND_SECONDS
        )
    except subprocess.TimeoutExpired:
        return f"{command[0]} has not ended within {_COMMAND_SECONDS} s"
    if finished.returncode == 0:
        return ""
    lines = finished.stderr.strip().splitlines() or [f"it ended with {finished.returncode}"]
    return f"{command[0]} failed: {lines[-1]}"


def _missing(reason: str) -> PrometheusMissingError:
    return PrometheusMissingError(
        f"Prometheus and node exporter are missing, and {reason}.",
        hint="Install them (Debian, Ubuntu: sudo apt-get install prometheus prometheus-node-exporter; "
        "macOS: brew install prometheus node_exporter). All else works without them.",
    )


@contextmanager
def _only_one_at_a_time() -> Iterator[None]:
    descriptor = os.open(HOME, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
