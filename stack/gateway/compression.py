"""Bodies compressed as ClickHouse's HTTP interface takes and gives them.

A client may send many frames one after the other (clickhouse-connect makes one of each block), so a body is
decompressed to its very end, and one that ends within a frame is refused: the rows after the first frame
would be lost without a word otherwise.
"""

import bz2
import lzma
import zlib
from collections.abc import Callable
from typing import Final, Protocol

import lz4.frame  # type: ignore[import-untyped]
import zstandard

from stack.gateway.errors import Code, StatementError

# Compressed bytes that are expanded at once: bounds what a frame of zeros can claim of memory.
_SLICE_BYTES: Final = 65_536
_GZIP_WINDOW: Final = 31
_ZLIB_WINDOW: Final = 15


class _FrameDecompressor(Protocol):
    """What the decompressors of one frame have in common."""

    @property
    def eof(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, /) -> bytes: ...


_DECOMPRESSORS: Final[dict[str, Callable[[], _FrameDecompressor]]] = {
    "gzip": lambda: zlib.decompressobj(_GZIP_WINDOW),
    "deflate": lambda: zlib.decompressobj(_ZLIB_WINDOW),
    "lz4": lz4.frame.LZ4FrameDecompressor,
    "zstd": lambda: zstandard.ZstdDecompressor().decompressobj(),
    "xz": lzma.LZMADecompressor,
    "bz2": bz2.BZ2Decompressor,
}


class Decompressor:
    """Expands a body piece by piece, through as many frames as there are."""

    def __init__(self, encoding: str) -> None:
        """Start a body.

        Args:
            encoding: The request's `Content-Encoding`; empty or `identity` for none.

        Raises:
            StatementError: An encoding that is not known.
        """
        self._encoding = encoding.strip().lower()
        self._identity = self._encoding in ("", "identity")
        self._frame: _FrameDecompressor | None = None
        if not self._identity and self._encoding not in _DECOMPRESSORS:
            known = ", ".join(_DECOMPRESSORS)
            raise StatementError(
                Code.NOT_IMPLEMENTED, f"Unknown compression method '{encoding}'. Only {known} are supported."
            )

    def feed(self, data: bytes) -> bytes:
        """The bytes that the next piece of the body stands for."""
        if self._identity:
            return data
        expanded = bytearray()
        for start in range(0, len(data), _SLICE_BYTES):
            rest = data[start : start + _SLICE_BYTES]
            while rest:
                expanded += self._expand(rest)
                rest = self._take_unused()
        return bytes(expanded)

    def finish(self) -> None:
        """Check that the body did not end within a frame.

        Raises:
            StatementError: It did (code 271).
        """
        if self._frame is not None:
            raise StatementError(
                Code.CANNOT_DECOMPRESS,
                f"The body ends within a {self._encoding} frame: it was cut off. Nothing was stored.",
            )

    def _expand(self, data: bytes) -> bytes:
        if self._frame is None:
            self._frame = _DECOMPRESSORS[self._encoding]()
        try:
            return self._frame.decompress(data)
        except (RuntimeError, zlib.error, zstandard.ZstdError, lzma.LZMAError, OSError, EOFError) as error:
            raise StatementError(
                Code.CANNOT_DECOMPRESS, f"The body is not valid {self._encoding}: {error}."
            ) from error

    def _take_unused(self) -> bytes:
        """What follows the frame that has just ended; empty while it goes on."""
        if self._frame is None or not self._frame.eof:
            return b""
        unused = self._frame.unused_data or b""
        self._frame = None
        return unused


class Compressor:
    """Compresses an answer, each piece readable as soon as it is sent. This base class changes nothing."""

    encoding = ""

    def add(self, data: bytes) -> bytes:
        """The bytes to send for the next piece."""
        return data

    def finish(self) -> bytes:
        """The bytes that end the answer."""
        return b""


class _Lz4Compressor(Compressor):
    encoding = "lz4"

    def __init__(self) -> None:
        self._frame = lz4.frame.LZ4FrameCompressor(auto_flush=True)
        self._head = bytes(self._frame.begin())

    def add(self, data: bytes) -> bytes:
        head, self._head = self._head, b""
        return head + bytes(self._frame.compress(data))

    def finish(self) -> bytes:
        head, self._head = self._head, b""
        return head + bytes(self._frame.flush())


class _ZstdCompressor(Compressor):
    encoding = "zstd"

    def __init__(self) -> None:
        self._frame = zstandard.ZstdCompressor(level=1).compressobj()

    def add(self, data: bytes) -> bytes:
        return self._frame.compress(data) + self._frame.flush(zstandard.COMPRESSOBJ_FLUSH_BLOCK)

    def finish(self) -> bytes:
        return self._frame.flush()


class _ZlibCompressor(Compressor):
    def __init__(self, encoding: str, window: int) -> None:
        self.encoding = encoding
        self._stream = zlib.compressobj(1, zlib.DEFLATED, window)

    def add(self, data: bytes) -> bytes:
        return self._stream.compress(data) + self._stream.flush(zlib.Z_SYNC_FLUSH)

    def finish(self) -> bytes:
        return self._stream.flush()


# The cheapest first: an answer seldom goes further than this machine.
_COMPRESSORS: Final[dict[str, Callable[[], Compressor]]] = {
    "lz4": _Lz4Compressor,
    "zstd": _ZstdCompressor,
    "gzip": lambda: _ZlibCompressor("gzip", _GZIP_WINDOW),
    "deflate": lambda: _ZlibCompressor("deflate", _ZLIB_WINDOW),
}


def choose_compressor(accepted: str) -> Compressor:
    """The cheapest compression among those that a client accepts; none if there is none.

    Args:
        accepted: The request's `Accept-Encoding`.
    """
    offered = {item.partition(";")[0].strip().lower() for item in accepted.split(",") if "q=0" not in item}
    for encoding, make in _COMPRESSORS.items():
        if encoding in offered:
            return make()
    return Compressor()
