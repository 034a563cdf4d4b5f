"""Runs a command that may write only where its container may: `walled.py DIRECTORY… -- COMMAND…`.

Stands in for the read-only file system of a container. The kernel enforces it (Landlock), for the command and
all that it starts; see `stack/gateway/confinement.py` for the calls.
"""

import ctypes
import os
import struct
import sys

CREATE_RULESET, ADD_RULE, RESTRICT_SELF = 444, 445, 446
PATH_BENEATH, NO_NEW_PRIVILEGES = 1, 38
EXECUTE, READ_FILE, READ_DIR = 1 << 0, 1 << 2, 1 << 3
WRITING = ((1 << 15) - 1) & ~(EXECUTE | READ_FILE | READ_DIR)
"""What changes files and directories, up to the third version of the interface."""

WRITE_FILE, TRUNCATE = 1 << 1, 1 << 14
ALWAYS = ("/dev", "/proc/self")
"""A container has devices, and shared memory beneath them, whatever its file system."""


def call(number: int, *arguments: object) -> int:
    libc = ctypes.CDLL(None, use_errno=True)
    result: int = libc.syscall(ctypes.c_long(number), *arguments)
    if result < 0:
        raise OSError(ctypes.get_errno(), f"system call {number}: {os.strerror(ctypes.get_errno())}")
    return result


def write_only_in(directories: list[str]) -> None:
    """Forbid this process and its children to change anything else."""
    attributes = struct.pack("=Q", WRITING)
    ruleset = call(CREATE_RULESET, ctypes.create_string_buffer(attributes, 8), ctypes.c_size_t(8), 0)
    for directory in directories:
        descriptor = os.open(directory, os.O_PATH | os.O_CLOEXEC)
        rule = struct.pack("=Qi", WRITING, descriptor)
        call(ADD_RULE, ruleset, PATH_BENEATH, ctypes.create_string_buffer(rule, 12), 0)
        os.close(descriptor)
    ctypes.CDLL(None).prctl(NO_NEW_PRIVILEGES, 1, 0, 0, 0)
    call(RESTRICT_SELF, ruleset, 0)


if __name__ == "__main__":
    separator = sys.argv.index("--")
    write_only_in([*sys.argv[1:separator], *ALWAYS])
    command = sys.argv[separator + 1 :]
    os.execv(command[0], command)
