"""Bodies compressed as ClickHouse's HTTP interface takes and gives them.

A client may send many frames one after the other (clickhouse-connect makes one of each block), so a body is
decompressed to its very end, and one that ends within a frame is refused: the rows after the first frame
would be lost without a word otherwise.
"""

import bz2
import lzma
import zlib
from collections.abc import Callable, Iterator
from typing import Any, Final, Protocol

import lz4.frame  # type: ignore[import-untyped]
import zstandard

from stack.gateway.errors import Code, StatementError

# No piece of an expanded body is much larger than this, whatever it was compressed to.
_PIECE_BYTES: Final = 1024 * 1024
# zstd takes no limit for what it gives, but 4 compressed bytes stand for 128 KiB at most.
_ZSTD_SLICE_BYTES: Final = 1024
_MAX_WINDOW_BYTES: Final = 16 * 1024 * 1024
_MAX_LZMA_BYTES: Final = 64 * 1024 * 1024
# A client sends a frame for each block of rows.
_MAX_FRAMES: Final = 100_000
_GZIP_WINDOW: Final = 31
_ZLIB_WINDOW: Final = 15


class _Frame(Protocol):
    """Expands one frame; ends with it."""

    @property
    def eof(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def expand(self, data: bytes) -> Iterator[bytes]:
        """The pieces that the data stand for."""


class _ZlibFrame:
    def __init__(self, window: int) -> None:
        self._raw = zlib.decompressobj(window)

    @property
    def eof(self) -> bool:
        return self._raw.eof

    @property
    def unused_data(self) -> bytes:
        return self._raw.unused_data

    def expand(self, data: bytes) -> Iterator[bytes]:
        while data and not self._raw.eof:
            yield self._raw.decompress(data, _PIECE_BYTES)
            data = self._raw.unconsumed_tail


class _ZstdFrame:
    def __init__(self) -> None:
        self._raw = zstandard.ZstdDecompressor(max_window_size=_MAX_WINDOW_BYTES).decompressobj()
        self._behind = b""

    @property
    def eof(self) -> bool:
        return self._raw.eof

    @property
    def unused_data(self) -> bytes:
        return (self._raw.unused_data or b"") + self._behind

    def expand(self, data: bytes) -> Iterator[bytes]:
        gathered = bytearray()
        for start in range(0, len(data), _ZSTD_SLICE_BYTES):
            gathered += self._raw.decompress(data[start : start + _ZSTD_SLICE_BYTES])
            if self._raw.eof:
                self._behind = data[start + _ZSTD_SLICE_BYTES :]
                break
            if len(gathered) >= _PIECE_BYTES:
                yield bytes(gathered)
                gathered.clear()
        yield bytes(gathered)


class _BoundedFrame:
    """The others have one interface: they give no more than asked for, and say whether they want input."""

    def __init__(self, raw: Any) -> None:
        self._raw = raw

    @property
    def eof(self) -> bool:
        return bool(self._raw.eof)

    @property
    def unused_data(self) -> bytes:
        return self._raw.unused_data or b""

    def expand(self, data: bytes) -> Iterator[bytes]:
        yield self._raw.decompress(data, max_length=_PIECE_BYTES)
        while not self._raw.eof and not self._raw.needs_input:
            yield self._raw.decompress(b"", max_length=_PIECE_BYTES)


_FRAMES: Final[dict[str, Callable[[], _Frame]]] = {
    "gzip": lambda: _ZlibFrame(_GZIP_WINDOW),
    "deflate": lambda: _ZlibFrame(_ZLIB_WINDOW),
    "lz4": lambda: _BoundedFrame(lz4.frame.LZ4FrameDecompressor()),
    "zstd": _ZstdFrame,
    "xz": lambda: _BoundedFrame(lzma.LZMADecompressor(memlimit=_MAX_LZMA_BYTES)),
    "bz2": lambda: _BoundedFrame(bz2.BZ2Decompressor()),
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
        self.is_identity = self._encoding in ("", "identity")
        self._frame: _Frame | None = None
        self._frames = 0
        if not self.is_identity and self._encoding not in _FRAMES:
            known = ", ".join(_FRAMES)
            raise StatementError(
                Code.NOT_IMPLEMENTED, f"Unknown compression method '{encoding}'. Only {known} are supported."
            )

    def feed(self, data: bytes) -> Iterator[bytes]:
        """The bytes that the next part of the body stands for, in pieces of bounded size.

        Raises:
            StatementError: It is not what the encoding says, or has too many frames (code 271).
        """
        if self.is_identity:
            yield data
            return
        while data:
            frame = self._frame or self._next_frame()
            try:
                yield from frame.expand(data)
            except (
                RuntimeError,
                zlib.error,
                zstandard.ZstdError,
                lzma.LZMAError,
                OSError,
                EOFError,
            ) as error:
                raise StatementError(
                    Code.CANNOT_DECOMPRESS, f"The body is not valid {self._encoding}: {error}."
                ) from error
            if not frame.eof:
                return
            data = frame.unused_data
            self._frame = None

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

    def _next_frame(self) -> _Frame:
        self._frames += 1
        if self._frames > _MAX_FRAMES:
            raise StatementError(
                Code.CANNOT_DECOMPRESS,
                f"The body has more than {_MAX_FRAMES} {self._encoding} frames: send larger ones.",
            )
        self._frame = _FRAMES[self._encoding]()
        return self._frame


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
    """The cheapest compression among those that a client accepts; empty if a client accepts none.

    Args:
        accepted: The request's `Accept-Encoding`.
    """
    offered = {item.partition(";")[0].strip().lower() for item in accepted.split(",") if "q=0" not in item}
    for encoding, make in _COMPRESSORS.items():
        if encoding in offered:
            return make()
    return Compressor()
