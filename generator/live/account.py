"""The account: what was handed over, what was acknowledged, and what may be there twice.

A journal makes it outlive the process: a parcel is written down before its first attempt and struck out once
it is acknowledged. What a process that was killed has not struck out is sent again by the next one, the same
bytes with the same ids. The journal is not synced to disk: it survives `kill -9`, not a power cut.
"""

import errno
import fcntl
import os
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

import msgspec

from clickstream.errors import ClickstreamError
from generator.live.options import DEFAULT_GENERATOR, LiveOptions, Source
from generator.live.wire import Parcel, Tally

_MAX_JOURNAL_BYTES: Final = 32_000_000


class SourceTotals(msgspec.Struct):
    """What became of everything that went one way.

    Attributes:
        acknowledged: What arrived, each parcel counted once.
        uncertain: Attempts that may or may not have arrived, after which the same parcel was sent
            again: so much may be there in addition. A valid event is then a duplicate in the ledger.
    """

    acknowledged: Tally = msgspec.field(default_factory=Tally)
    uncertain: Tally = msgspec.field(default_factory=Tally)


Totals = dict[Source, SourceTotals]


class _State(msgspec.Struct, tag="state"):
    """The first line of a journal: all that was before.

    `wish` is that of the default generator, since journals held no other at first.
    """

    totals: Totals
    next_number: int
    wish: LiveOptions | None
    wishes: dict[str, LiveOptions] = {}
    by_generator: dict[str, Totals] = {}


class _Sent(msgspec.Struct, tag="sent"):
    parcel: Parcel


class _Acknowledged(msgspec.Struct, tag="acknowledged"):
    number: int


class _Uncertain(msgspec.Struct, tag="uncertain"):
    number: int


class _Wish(msgspec.Struct, tag="wish"):
    options: LiveOptions | None
    generator: str = DEFAULT_GENERATOR


class _Added(msgspec.Struct, tag="added"):
    generator: str


class _Removed(msgspec.Struct, tag="removed"):
    generator: str


_Entry = _State | _Sent | _Acknowledged | _Uncertain | _Wish | _Added | _Removed


class Account:
    """Counts parcels; with a path, in a journal that the next process continues."""

    def __init__(self, path: Path | None = None) -> None:
        """Open an account.

        Args:
            path: The journal; None to keep the account in memory alone.

        Raises:
            ClickstreamError: Another process has it open, or it can't be read.
        """
        self._lock = threading.Lock()
        self._unacknowledged: dict[int, Parcel] = {}
        self._state = _State({}, 1, None)
        self._path = path
        self._file = -1
        self._bytes = 0
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._holder = _hold(path.with_suffix(".lock"))
            self._replay(path)
            self._compact()

    def wish(self, generator: str = DEFAULT_GENERATOR) -> LiveOptions | None:
        """What a generator is to make, also in the next process; None for nothing."""
        if generator == DEFAULT_GENERATOR:
            return self._state.wish
        return self._state.wishes.get(generator)

    def record_wish(self, options: LiveOptions | None, generator: str = DEFAULT_GENERATOR) -> None:
        """Note what a generator is to make from now on."""
        with self._lock:
            self._enter(_Wish(options, generator))

    def generators(self) -> list[str]:
        """The names of the generators that were added, and the default one."""
        with self._lock:
            return [
                DEFAULT_GENERATOR,
                *(name for name in self._state.by_generator if name != DEFAULT_GENERATOR),
            ]

    def add_generator(self, generator: str) -> None:
        """Begin to count what a generator sends."""
        with self._lock:
            self._enter(_Added(generator))

    def remove_generator(self, generator: str) -> None:
        """Forget a generator; what it has sent stays in the totals of all."""
        with self._lock:
            self._enter(_Removed(generator))

    def next_number(self) -> int:
        """A number for a parcel, given once."""
        with self._lock:
            self._state.next_number += 1
            return self._state.next_number - 1

    def record_sent(self, parcel: Parcel) -> None:
        """Note a parcel before its first attempt."""
        with self._lock:
            self._enter(_Sent(parcel))

    def record_acknowledged(self, parcel: Parcel) -> None:
        """Count a parcel that has arrived."""
        with self._lock:
            self._enter(_Acknowledged(parcel.number))

    def record_uncertain(self, parcel: Parcel) -> None:
        """Count an attempt that may or may not have arrived."""
        with self._lock:
            self._enter(_Uncertain(parcel.number))

    def totals(self, generator: str | None = None) -> Totals:
        """A copy of what was counted: of one generator, or of all that there ever were."""
        with self._lock:
            counted = self._state.totals if generator is None else self._state.by_generator.get(generator, {})
            copied = msgspec.json.decode(msgspec.json.encode(counted), type=Totals)
        return {source: copied.get(source, SourceTotals()) for source in Source}

    def unacknowledged(self, source: Source, generator: str | None = None) -> list[Parcel]:
        """The parcels of a source that are under way, oldest first; of one generator, or of all."""
        with self._lock:
            return [
                parcel
                for parcel in self._unacknowledged.values()
                if parcel.source is source and generator in (None, parcel.generator)
            ]

    def close(self) -> None:
        """Let another process have the journal."""
        with self._lock:
            if self._file >= 0:
                os.close(self._file)
                os.close(self._holder)
                self._file = -1

    def _enter(self, entry: _Entry) -> None:
        """Apply an entry, and write it down."""
        self._apply(entry)
        if self._file >= 0:
            self._append(entry)
            if self._bytes > _MAX_JOURNAL_BYTES:
                self._compact()

    def _apply(self, entry: _Entry) -> None:
        match entry:
            case _State():
                self._state = entry
            case _Sent(parcel):
                self._unacknowledged[parcel.number] = parcel
                self._state.next_number = max(self._state.next_number, parcel.number + 1)
            case _Acknowledged(number):
                parcel = self._unacknowledged.pop(number)
                for totals in self._totals_of(parcel):
                    totals.acknowledged.add(parcel.tally)
            case _Uncertain(number):
                parcel = self._unacknowledged[number]
                for totals in self._totals_of(parcel):
                    totals.uncertain.add(parcel.tally)
            case _Wish(options, generator):
                self._apply_wish(options, generator)
            case _Added(generator):
                self._state.by_generator.setdefault(generator, {})
            case _Removed(generator):
                self._state.by_generator.pop(generator, None)
                self._state.wishes.pop(generator, None)

    def _apply_wish(self, options: LiveOptions | None, generator: str) -> None:
        if generator == DEFAULT_GENERATOR:
            self._state.wish = options
        elif options is None:
            self._state.wishes.pop(generator, None)
        else:
            self._state.wishes[generator] = options

    def _totals_of(self, parcel: Parcel) -> Iterator[SourceTotals]:
        """Where a parcel is counted: among all, and with its generator unless that was removed."""
        yield self._state.totals.setdefault(parcel.source, SourceTotals())
        if parcel.generator == DEFAULT_GENERATOR or parcel.generator in self._state.by_generator:
            of_generator = self._state.by_generator.setdefault(parcel.generator, {})
            yield of_generator.setdefault(parcel.source, SourceTotals())

    def _append(self, entry: _Entry) -> None:
        line = msgspec.json.encode(entry) + b"\n"
        written = os.write(self._file, line)
        if written < len(line):
            # Half a line would make the next one unreadable.
            os.ftruncate(self._file, self._bytes)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self._path))
        self._bytes += written

    def _replay(self, path: Path) -> None:
        if not path.exists():
            return
        lines = path.read_bytes().splitlines(keepends=True)
        for number, line in enumerate(lines, start=1):
            if not line.endswith(b"\n"):
                break  # Written when the process died. What it was about has not begun, or is done again.
            try:
                self._apply(msgspec.json.decode(line, type=_Entry))
            except (msgspec.DecodeError, KeyError) as error:
                raise ClickstreamError(
                    f"{path} is damaged at line {number}: {error}.",
                    hint="Move it away; the generator then starts counting from 0.",
                ) from error

    def _compact(self) -> None:
        """Replace the journal by one that says the same in few lines."""
        if self._path is None:
            return
        entries: Iterable[_Entry] = (self._state, *map(_Sent, self._unacknowledged.values()))
        text = b"".join(msgspec.json.encode(entry) + b"\n" for entry in entries)
        part = self._path.with_suffix(".part")
        part.write_bytes(text)
        part.replace(self._path)
        if self._file >= 0:
            os.close(self._file)
        self._file = os.open(self._path, os.O_WRONLY | os.O_APPEND)
        self._bytes = len(text)


def _hold(path: Path) -> int:
    """Keep other processes out of the journal for as long as this one lives."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise ClickstreamError(
            f"Another live generator is using {path.parent}.",
            hint="Stop it, or set CLICKSTREAM_STACK__DATA_DIR to another directory.",
        ) from None
    return descriptor
