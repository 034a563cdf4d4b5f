"""Packed files as a stream of bytes that gives all it can before it says that a file is damaged."""

import io
import zlib
from collections.abc import Callable
from typing import Any, Final

import zstandard

_PACKED_BYTES: Final = 4096
"""Packed bytes that are unpacked at once; few, since they may unpack to many thousand times as many."""

_GZIP_FORMAT: Final = 31
"""zlib's number for a gzip member with its header and check sum."""

_NEW_FRAME: Final[dict[bytes, Callable[[], Any]]] = {
    b"\x1f\x8b": lambda: zlib.decompressobj(_GZIP_FORMAT),
    b"\x28\xb5\x2f\xfd": lambda: zstandard.ZstdDecompressor().decompressobj(),
}
"""What unpacks one frame (gzip calls it a member), by the first bytes of a file."""


def unpack(file: io.BufferedReader) -> io.BufferedReader:
    """A file's bytes, unpacked if they are gzip or zstd by their first bytes; any number of frames.

    Reading raises OSError where the file is damaged or ends in the middle, after all bytes before that.
    """
    magic = file.read(4)
    file.seek(0)
    for start, new_frame in _NEW_FRAME.items():
        if magic.startswith(start):
            return io.BufferedReader(_Unpacked(file, new_frame), 1 << 20)
    return file


class _Unpacked(io.RawIOBase):
    def __init__(self, file: io.BufferedReader, new_frame: Callable[[], Any]) -> None:
        self._file = file
        self._new_frame = new_frame
        self._frame: Any = None
        self._packed = b""
        self._unpacked = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, target: Any) -> int:
        while not self._unpacked:
            if not self._packed:
                self._packed = self._file.read(_PACKED_BYTES)
            if self._frame is None:
                # Tapes and block devices pad packed files with zeros.
                self._packed = self._packed.lstrip(b"\0")
            if self._packed:
                self._unpacked = memoryview(self._unpack())
            elif self._frame is not None:
                raise OSError("it is truncated")
            elif not self._file.peek(1):
                return 0
        size = min(len(target), len(self._unpacked))
        target[:size] = self._unpacked[:size]
        self._unpacked = self._unpacked[size:]
        return size

    def _unpack(self) -> bytes:
        """Unpacks what was read, at most to the end of a frame."""
        if self._frame is None:
            self._frame = self._new_frame()
        try:
            unpacked: bytes = self._frame.decompress(self._packed)
        except (zlib.error, zstandard.ZstdError) as error:
            raise OSError(str(error)) from error
        self._packed = b""
        if self._frame.eof:
            self._packed = self._frame.unused_data
            self._frame = None
        return unpacked
