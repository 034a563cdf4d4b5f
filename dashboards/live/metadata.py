"""Whether Superset's metadata database takes writes.

Pages and charts only read it, so they go on when it is locked or read-only. But each sign-in then takes half
a minute, and nobody can save anything.
"""

import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Final

PATIENCE_SECONDS: Final = 60.0
"""An import of assets writes for seconds at a time, which is not a fault."""

_WAIT_SECONDS: Final = 1.0


class WriteCheck:
    """Tries to write, and remembers when that last succeeded.

    Args:
        file: The database, an SQLite file.
        now: A clock that never goes back, in seconds.
    """

    def __init__(self, file: Path, now: Callable[[], float] = time.monotonic) -> None:
        self._file = file
        self._now = now
        self._written_at = now()

    def problem(self) -> str | None:
        """What has kept writes away for too long; None if nothing has."""
        try:
            with closing(
                sqlite3.connect(self._file, timeout=_WAIT_SECONDS, isolation_level=None)
            ) as database:
                database.execute("begin immediate")
                database.execute("rollback")
        except sqlite3.Error as error:
            seconds = self._now() - self._written_at
            if seconds <= PATIENCE_SECONDS:
                return None
            return f"Superset's metadata database has taken no write for {seconds:.0f} s: {error}."
        self._written_at = self._now()
        return None
