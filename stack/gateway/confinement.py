"""Walls around the gateway's process, put up by the kernel: Landlock.

The engine runs inside this process and, like any local tool, would read whatever the process may read. From
`confine` on, the kernel itself refuses every file and address that is not listed, for this process, its
threads and its children, for as long as they live. It needs no privileges. It must be called before threads
start, since each thread carries its own walls.

The kernel's interface is described in its documentation, userspace-api/landlock.
"""

import ctypes
import errno
import os
import struct
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

# System calls have the same numbers on all architectures since Linux 5.1.
_CREATE_RULESET: Final = 444
_ADD_RULE: Final = 445
_RESTRICT_SELF: Final = 446
_ASK_VERSION: Final = 1
_PATH_BENEATH: Final = 1
_NO_NEW_PRIVILEGES: Final = 38

# Rights on files, in the order of the kernel's bits; each version of the interface knows the first few.
_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR = (1 << bit for bit in range(4))
_TRUNCATE: Final = 1 << 14
_READ: Final = _READ_FILE | _READ_DIR
_FILE_RIGHTS: Final = _EXECUTE | _WRITE_FILE | _READ_FILE | _TRUNCATE | 1 << 15
_KNOWN_RIGHTS: Final = {1: 13, 2: 14, 3: 15, 4: 15, 5: 16}
_CONNECT_TCP: Final = 1 << 1
# Abstract sockets, and signals, of processes outside.
_SCOPES: Final = 0b11

# The engine renames files from one directory to another, which the first version forbids altogether.
_FILES_SINCE: Final = 2
_ADDRESSES_SINCE: Final = 4
_SCOPES_SINCE: Final = 6

# What the engine asks the system about itself; it does not start without most of these.
_ABOUT_THE_SYSTEM: Final = (
    *("/dev/null", "/dev/urandom", "/dev/random", "/dev/zero", "/sys/devices/system", "/sys/fs/cgroup"),
    *("/proc/meminfo", "/proc/cpuinfo", "/proc/stat", "/proc/uptime", "/proc/loadavg", "/proc/filesystems"),
    *("/proc/sys/vm/overcommit_memory", "/proc/sys/kernel/threads-max", "/proc/sys/kernel/pid_max"),
    *(
        f"/proc/self/{name}"
        for name in ("maps", "auxv", "status", "stat", "statm", "cgroup", "mounts", "mountinfo", "task")
    ),
    *("/etc/localtime", "/etc/timezone", "/etc/ld.so.cache", "/etc/hosts", "/etc/mime.types"),
)


@dataclass(frozen=True)
class Walls:
    """What a process may still reach.

    Attributes:
        readable: Directories and files that it may read.
        writable: Directories in which it may do everything but execute.
    """

    readable: tuple[Path, ...]
    writable: tuple[Path, ...]


def missing_walls() -> str | None:
    """What the kernel of this machine can't confine, as a sentence; None if it can confine everything."""
    version = _interface_version()
    if version < _FILES_SINCE:
        return (
            "This kernel can't confine the database's process (it wants Landlock, in Linux 5.19 or "
            "newer), so the checks of statements alone keep SQL from files and addresses."
        )
    if version < _ADDRESSES_SINCE:
        return (
            "This kernel confines the files of the database's process, but not its connections (that wants "
            "Linux 6.7 or newer), so the checks of statements alone keep SQL from addresses."
        )
    return None


def confine(walls: Walls) -> None:
    """Put up the walls that the kernel supports; nothing takes them down again.

    Raises:
        OSError: The kernel refused although it says that it can.
    """
    version = _interface_version()
    if version < _FILES_SINCE:
        return
    handled = (1 << _KNOWN_RIGHTS.get(version, max(_KNOWN_RIGHTS.values()))) - 1
    handled_net = _CONNECT_TCP if version >= _ADDRESSES_SINCE else 0
    scopes = _SCOPES if version >= _SCOPES_SINCE else 0
    ruleset = _call(_CREATE_RULESET, *_buffer(struct.pack("=QQQ", handled, handled_net, scopes)), 0)
    try:
        for path in (*walls.readable, *map(Path, _ABOUT_THE_SYSTEM)):
            _allow(ruleset, path, _READ & handled)
        _allow(ruleset, Path("/dev/null"), (_READ_FILE | _WRITE_FILE) & handled)
        for path in walls.writable:
            _allow(ruleset, path, handled & ~_EXECUTE)
        if _libc().prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0) != 0:
            raise OSError(ctypes.get_errno(), "The kernel refuses no_new_privs")
        _call(_RESTRICT_SELF, ruleset, 0)
    finally:
        os.close(ruleset)


def program_paths(prefixes: Iterable[str]) -> tuple[Path, ...]:
    """The directories of an interpreter and of the system's libraries, each once."""
    named = (*prefixes, "/usr", "/lib", "/lib64", "/opt/lib")
    return tuple(dict.fromkeys(Path(name).resolve() for name in named if Path(name).exists()))


def _allow(ruleset: int, path: Path, rights: int) -> None:
    """Let the process use a path; one that does not exist here needs no permission."""
    try:
        descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    try:
        granted = rights if path.is_dir() else rights & _FILE_RIGHTS
        _call(_ADD_RULE, ruleset, _PATH_BENEATH, _buffer(struct.pack("=Qi", granted, descriptor))[0], 0)
    finally:
        os.close(descriptor)


def _interface_version() -> int:
    """The version of the kernel's interface; 0 if it has none, or if it is turned off."""
    try:
        return _call(_CREATE_RULESET, None, 0, _ASK_VERSION)
    except OSError as error:
        if error.errno in (errno.ENOSYS, errno.EOPNOTSUPP, errno.EPERM):
            return 0
        raise


def _call(number: int, *arguments: object) -> int:
    result: int = _libc().syscall(ctypes.c_long(number), *arguments)
    if result < 0:
        raise OSError(ctypes.get_errno(), f"System call {number}: {os.strerror(ctypes.get_errno())}")
    return result


def _buffer(data: bytes) -> tuple[object, object]:
    return ctypes.create_string_buffer(data, len(data)), ctypes.c_size_t(len(data))


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)
