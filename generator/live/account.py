"""The account: what was handed over, what was acknowledged, and what may be there twice.

A journal makes it outlive the process: a parcel is written down before its first attempt and struck out once
it is acknowledged. What a process that was killed has not struck out is sent again by the next one, the same
bytes with the same ids. The journal is not synced to disk: it survives `kill -9`, not a power cut.
"""

import errno
import fcntl
import os
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import msgspec

from clickstream.errors import ClickstreamError
from generator.live.options import LiveOptions, Source
from generator.live.wire import Parcel, Tally

_MAX_JOURNAL_BYTES: Final = 32_000_000


class SourceTotals(msgspec.Struct):
    """What became of everything that went one way.

    Attributes:
        acknowledged: What arrived, each parcel counted once.
        uncertain: Attempts of which it isn't known whether they arrived, after which the same parcel was sent
            again: so much may be there in addition. A valid event is then a duplicate in the ledger.
    """

    acknowledged: Tally = msgspec.field(default_factory=Tally)
    uncertain: Tally = msgspec.field(default_factory=Tally)


Totals = dict[Source, SourceTotals]


class _State(msgspec.Struct, tag="state"):
    """The first line of a journal: all that was before."""

    totals: Totals
    next_number: int
    wish: LiveOptions | None


class _Sent(msgspec.Struct, tag="sent"):
    parcel: Parcel


class _Acknowledged(msgspec.Struct, tag="acknowledged"):
    number: int


class _Uncertain(msgspec.Struct, tag="uncertain"):
    number: int


class _Wish(msgspec.Struct, tag="wish"):
    options: LiveOptions | None


_Entry = _State | _Sent | _Acknowledged | _Uncertain | _Wish


class Account:
    """Counts parcels; with a path, in a journal that the next process goes on with."""

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

    @property
    def wish(self) -> LiveOptions | None:
        """What is to be generated, also by the next process; None for nothing."""
        return self._state.wish

    def record_wish(self, options: LiveOptions | None) -> None:
        """Note what is to be generated from now on."""
        with self._lock:
            self._enter(_Wish(options))

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
        """Count an attempt of which it isn't known whether it arrived."""
        with self._lock:
            self._enter(_Uncertain(parcel.number))

    def totals(self) -> Totals:
        """A copy of all that was counted."""
        with self._lock:
            copied = msgspec.json.decode(msgspec.json.encode(self._state.totals), type=Totals)
        return {source: copied.get(source, SourceTotals()) for source in Source}

    def unacknowledged(self, source: Source) -> list[Parcel]:
        """The parcels of a source that are under way, oldest first."""
        with self._lock:
            return [parcel for parcel in self._unacknowledged.values() if parcel.source is source]

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
                self._totals_of(parcel).acknowledged.add(parcel.tally)
            case _Uncertain(number):
                parcel = self._unacknowledged[number]
                self._totals_of(parcel).uncertain.add(parcel.tally)
            case _Wish(options):
                self._state.wish = options

    def _totals_of(self, parcel: Parcel) -> SourceTotals:
        return self._state.totals.setdefault(parcel.source, SourceTotals())

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
                    hint="Move it away; the generator then begins to count anew.",
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
