"""Types of device that were derived before, kept from run to run, since telling one takes about 20 ms.

The file holds hashes, not user agents, and may be deleted at any time. Another version of the lists has
entries of its own.
"""

import hashlib
import sqlite3
from collections.abc import Iterable, Mapping
from contextlib import closing, suppress
from pathlib import Path
from typing import Final

from clickstream.event.agents import derive_device_type, rules_version

_SCHEMA: Final = (
    "create table if not exists device_types (agent blob primary key, device_type text) without rowid"
)
_FIND: Final = "select device_type from device_types where agent = ?"
_KEEP: Final = "insert or ignore into device_types values (?, ?)"
_COUNT: Final = "select count(*) from device_types"
_MAX_ENTRIES: Final = 1_000_000
_WAIT_SECONDS: Final = 10.0


class DeviceMemory:
    """Derives types of device, each user agent once.

    Processes share the file. Where it cannot be used, everything is derived again; nothing fails.

    Args:
        path: The file; None to remember nothing.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._path = path

    def derive(self, user_agents: Iterable[str]) -> Mapping[str, str]:
        """The type of device of each user agent."""
        wanted = set(user_agents)
        known = self._find(wanted)
        new = {agent: derive_device_type(agent) for agent in wanted - known.keys()}
        self._keep(new)
        return known | new

    def _find(self, user_agents: Iterable[str]) -> dict[str, str]:
        found: dict[str, str] = {}
        if self._path is not None and self._path.exists():
            with suppress(sqlite3.Error), closing(sqlite3.connect(self._path, timeout=_WAIT_SECONDS)) as file:
                for agent in user_agents:
                    row = file.execute(_FIND, (_key(agent),)).fetchone()
                    if row is not None:
                        found[agent] = row[0]
        return found

    def _keep(self, types: Mapping[str, str]) -> None:
        if self._path is None or not types:
            return
        with suppress(sqlite3.Error, OSError):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with closing(sqlite3.connect(self._path, timeout=_WAIT_SECONDS)) as file, file:
                file.execute(_SCHEMA)
                (entries,) = file.execute(_COUNT).fetchone()
                if entries + len(types) <= _MAX_ENTRIES:
                    file.executemany(_KEEP, ((_key(agent), kind) for agent, kind in types.items()))


def _key(user_agent: str) -> bytes:
    text = f"{rules_version()}\0{user_agent}"
    return hashlib.blake2b(text.encode(errors="surrogatepass"), digest_size=16).digest()
