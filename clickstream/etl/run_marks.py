"""Which runs are alive: each is marked by a file that its process keeps locked.

The kernel frees the lock however the process ends, so a file that nobody holds tells of a run that died. It
holds for processes of this machine.
"""

import fcntl
import os
import time
from contextlib import suppress
from pathlib import Path
from typing import Final

from clickstream.settings import get_settings

_KEPT_SECONDS: Final = 86_400.0

_held: dict[str, int] = {}
"""File descriptors of the marks that this process holds, by run."""


def hold_mark(run_id: str) -> bool:
    """Marks a run as worked on by this process; True if a process that has died did so before."""
    if run_id in _held:
        return False
    path = _path(run_id)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    was_there = path.exists()
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    # Two processes never work on one run for long: whoever has been overtaken ends soon.
    fcntl.flock(descriptor, fcntl.LOCK_SH)
    _held[run_id] = descriptor
    return was_there


def drop_mark(run_id: str) -> None:
    """Removes the mark of a run that has ended, or has been recorded as dead."""
    _path(run_id).unlink(missing_ok=True)
    descriptor = _held.pop(run_id, None)
    if descriptor is not None:
        os.close(descriptor)


def is_worked_on(run_id: str) -> bool:
    """Whether a living process works on the run."""
    try:
        descriptor = os.open(_path(run_id), os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def remove_old_marks() -> None:
    """Removes the marks that dead processes left long ago; younger ones tell that a run is resumed."""
    folder = _path("")
    oldest = time.time() - _KEPT_SECONDS
    for path in folder.iterdir() if folder.is_dir() else ():
        # Another process may have removed it since.
        with suppress(FileNotFoundError):
            if path.stat().st_mtime < oldest and not is_worked_on(path.name):
                path.unlink()


def _path(run_id: str) -> Path:
    return get_settings().stack.data_path / "etl" / "runs" / run_id
