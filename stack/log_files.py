"""Reads the services' log files: their ends, and what is added to them."""

import os
import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final, TextIO

POLL_SECONDS: Final = 0.3
TAIL_BYTES: Final = 256 * 1024


def last_lines(path: Path, count: int) -> list[str]:
    """The last lines of the file (of its last 256 KiB, at most); none if it is not there."""
    try:
        with path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - TAIL_BYTES))
            text = file.read().decode("utf-8", errors="replace")
    except FileNotFoundError:
        return []
    return list(deque(text.splitlines(), maxlen=count))


def follow(paths: Mapping[str, Path]) -> Iterator[tuple[str, str]]:
    """Every line added from now on, with the name of its file, for ever; follows rotated files."""
    # Opened here and not in the generator: "from now on" is from this call on.
    return _added_lines([(name, _Tail(path)) for name, path in paths.items()])


def _added_lines(tails: Sequence[tuple[str, "_Tail"]]) -> Iterator[tuple[str, str]]:
    while True:
        for name, tail in tails:
            for line in tail.new_lines():
                yield name, line
        time.sleep(POLL_SECONDS)


class _Tail:
    """The growing end of one file, which may appear, shrink or be replaced."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._begun = ""
        self._file = self._opened()
        if self._file:
            self._file.seek(0, os.SEEK_END)

    def new_lines(self) -> list[str]:
        """The lines that were completed since the last call."""
        lines = self._read()
        if self._is_replaced():
            lines += self._read()
            if self._file:
                self._file.close()
            self._file = self._opened()
            lines += self._read()
        return lines

    def _read(self) -> list[str]:
        if self._file is None:
            return []
        *lines, self._begun = (self._begun + self._file.read()).split("\n")
        return lines

    def _is_replaced(self) -> bool:
        try:
            present = self._path.stat()
        except FileNotFoundError:
            return False
        if self._file is None:
            return True
        opened = os.fstat(self._file.fileno())
        return (present.st_dev, present.st_ino) != (
            opened.st_dev,
            opened.st_ino,
        ) or present.st_size < self._file.tell()

    def _opened(self) -> TextIO | None:
        try:
            return self._path.open(encoding="utf-8", errors="replace")
        except FileNotFoundError:
            return None
