"""Where a stack keeps its data, logs, the supervisor's files and its control socket."""

import hashlib
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from clickstream.errors import ClickstreamError
from clickstream.settings import PROJECT_ROOT, StackSettings

# A unix socket's path takes at most 104 bytes on macOS, 108 on Linux. The supervisor first binds a name with
# its process id appended, hence the room.
MAX_SOCKET_PATH_BYTES: Final = 90
SOCKET_NAME: Final = "supervisor.sock"
MARK_NAME: Final = ".clickstream-stack"


class DataDirectoryError(ClickstreamError):
    """The data directory can't be used, or must not be deleted."""


@dataclass(frozen=True)
class StackPaths:
    """The files of one stack.

    Attributes:
        data: The data directory; everything else lies in it, but for a socket whose path would be too long.
    """

    data: Path

    @property
    def run(self) -> Path:
        """Configuration, process id and lock of the supervisor; open to the owner alone."""
        return self.data / "run"

    @property
    def logs(self) -> Path:
        """Log files, one per service."""
        return self.data / "logs"

    @property
    def supervisor_config(self) -> Path:
        """What the supervisor was started with."""
        return self.run / "supervisord.conf"

    @property
    def addresses(self) -> Path:
        """The addresses that the services were started with."""
        return self.run / "addresses"

    @property
    def lock(self) -> Path:
        """Held by the command that starts or stops the stack."""
        return self.run / "lock"

    @property
    def mark(self) -> Path:
        """Tells a stack's data directory from any other directory."""
        return self.data / MARK_NAME

    @property
    def socket(self) -> Path:
        """The supervisor's control socket: in `run`, or in a short private directory of this stack."""
        path = self.run / "supervisor.sock"
        is_short = len(os.fsencode(path)) <= MAX_SOCKET_PATH_BYTES
        return path if is_short else self.short_directory / SOCKET_NAME

    @property
    def short_directory(self) -> Path:
        """A directory with a short path; the same for every command that names this data directory."""
        identity = hashlib.sha256(os.fsencode(self.data)).hexdigest()[:16]
        return Path("/tmp") / f"clickstream-{os.getuid()}-{identity}"  # noqa: S108 -- private_directory checks it

    def log_of(self, service: str) -> Path:
        """The service's present log file."""
        return self.logs / f"{service}.log"

    def home_of(self, service: str) -> Path:
        """The service's own directory, in which it runs."""
        return self.data / service

    @property
    def health(self) -> Path:
        """What the watchdog knows of the services, for whatever shows it."""
        return self.run / "health.json"

    @property
    def scheduler_beat(self) -> Path:
        """The sign of life of Mage's scheduler."""
        return self.home_of("mage") / "scheduler.json"

    def temporary_of(self, service: str) -> Path:
        """The service's directory for temporary files; its path is short, since sockets lie there."""
        return self.short_directory / service

    def create(self) -> None:
        """Make the directories.

        Raises:
            DataDirectoryError: The data directory is somebody else's, or can't be written.
        """
        self.refuse_foreign()
        try:
            for directory in (self.data, self.run, self.logs):
                private_directory(directory)
            if self.socket.parent != self.run:
                private_directory(self.socket.parent)
            self.mark.touch()
            with tempfile.TemporaryFile(dir=self.data) as probe:
                probe.write(b"\0")
        except OSError as error:
            raise DataDirectoryError(
                f"The data directory {self.data} can't be written: {error.strerror}.",
                hint="Make it writable, or set CLICKSTREAM_STACK__DATA_DIR to another directory.",
            ) from error

    def refuse_foreign(self) -> None:
        """Keep the stack out of directories that hold other things: `reset` deletes the data directory.

        Raises:
            DataDirectoryError: It is the checkout, or above it, or holds files and bears no stack's mark.
        """
        if PROJECT_ROOT.is_relative_to(self.data) or Path.home().is_relative_to(self.data):
            problem = "it holds more than a stack"
        elif self.data.exists() and not self.data.is_dir():
            problem = "it is a file"
        elif self._has_foreign_files():
            problem = "it holds files that no stack made"
        else:
            return
        raise DataDirectoryError(
            f"{self.data} can't be the data directory: {problem}.",
            hint="Set CLICKSTREAM_STACK__DATA_DIR to a directory that is empty or does not exist yet.",
        )

    def _has_foreign_files(self) -> bool:
        is_default = self.data == StackSettings().data_path
        return not is_default and not self.mark.exists() and self.data.is_dir() and any(self.data.iterdir())


def private_directory(directory: Path) -> None:
    """Make the directory, open to its owner alone.

    Raises:
        DataDirectoryError: It is there and belongs to somebody else.
    """
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    state = directory.stat()
    if state.st_uid != os.getuid():
        raise DataDirectoryError(
            f"{directory} belongs to another user (id {state.st_uid}).",
            hint="Set CLICKSTREAM_STACK__DATA_DIR to a directory of your own.",
        )
    if state.st_mode & 0o077:
        directory.chmod(0o700)
