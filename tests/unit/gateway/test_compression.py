"""Bodies are read to the end, through every frame."""

import bz2
import gzip
import lzma
import zlib
from collections.abc import Callable

import lz4.frame  # type: ignore[import-untyped]
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from stack.gateway.compression import Decompressor, choose_compressor
from stack.gateway.errors import Code, StatementError

COMPRESS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "deflate": zlib.compress,
    "lz4": lz4.frame.compress,
    "zstd": zstandard.ZstdCompressor().compress,
}
ENCODINGS = sorted(COMPRESS)


def expand(decompressor: Decompressor, data: bytes) -> bytes:
    return b"".join(decompressor.feed(data))


@pytest.mark.parametrize("encoding", ENCODINGS)
@given(frames=st.lists(st.binary(max_size=300), min_size=1, max_size=6), cut=st.integers(1, 50))
def test_frames_are_read_however_they_are_cut(encoding: str, frames: list[bytes], cut: int) -> None:
    body = b"".join(COMPRESS[encoding](frame) for frame in frames)
    decompressor = Decompressor(encoding)
    found = b"".join(expand(decompressor, body[at : at + cut]) for at in range(0, len(body), cut))
    decompressor.finish()
    assert found == b"".join(frames)


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("frames", [1, 3])
def test_a_frame_without_its_end_is_refused(encoding: str, frames: int) -> None:
    whole = COMPRESS[encoding](bytes(range(256)) * 10)
    decompressor = Decompressor(encoding)
    expand(decompressor, whole * (frames - 1) + whole[:-1])
    with pytest.raises(StatementError) as caught:
        decompressor.finish()
    assert caught.value.code == Code.CANNOT_DECOMPRESS


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_what_is_no_frame_is_refused(encoding: str) -> None:
    with pytest.raises(StatementError) as caught:
        expand(Decompressor(encoding), b"these are rows, not a frame")
    assert caught.value.code == Code.CANNOT_DECOMPRESS


def test_an_unknown_encoding_is_named_with_the_known_ones() -> None:
    with pytest.raises(StatementError, match=r"'snappy'.*gzip.*lz4"):
        Decompressor("snappy")


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_an_answer_is_readable_piece_by_piece(encoding: str) -> None:
    compressor = choose_compressor(encoding)
    decompressor = Decompressor(encoding)
    assert expand(decompressor, compressor.add(b"first")) == b"first"
    assert expand(decompressor, compressor.add(b"second")) == b"second"
    assert expand(decompressor, compressor.finish()) == b""
    decompressor.finish()


MORE = {**COMPRESS, "xz": lzma.compress, "bz2": bz2.compress}


@pytest.mark.parametrize("encoding", sorted(MORE))
def test_a_bomb_comes_in_pieces_of_bounded_size(encoding: str) -> None:
    zeros = 96 * 1024 * 1024
    total = 0
    for piece in Decompressor(encoding).feed(MORE[encoding](bytes(zeros))):
        assert len(piece) <= 34 * 1024 * 1024
        total += len(piece)
    assert total == zeros


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_a_flood_of_empty_frames_is_refused(encoding: str) -> None:
    with pytest.raises(StatementError, match="more than 100000") as caught:
        expand(Decompressor(encoding), COMPRESS[encoding](b"") * 100_001)
    assert caught.value.code == Code.CANNOT_DECOMPRESS


def test_a_frame_that_wants_much_memory_is_refused() -> None:
    wide = zstandard.ZstdCompressionParameters(window_log=27)
    compressor = zstandard.ZstdCompressor(compression_params=wide).compressobj()
    body = compressor.compress(b"x" * 1000) + compressor.flush()
    with pytest.raises(StatementError, match="too much memory") as caught:
        expand(Decompressor("zstd"), body)
    assert caught.value.code == Code.CANNOT_DECOMPRESS


CHOICES = [
    pytest.param("lz4,zstd,br,gzip,deflate", "lz4", id="clickhouse-connect"),
    pytest.param("gzip, deflate, br, zstd", "zstd", id="browser"),
    pytest.param("deflate, gzip;q=1.0, *;q=0.5", "gzip", id="with weights"),
    pytest.param("gzip;q=0, deflate", "deflate", id="one ruled out"),
    pytest.param("br", "", id="none that is known"),
    pytest.param("", "", id="none"),
]


@pytest.mark.parametrize(("accepted", "encoding"), CHOICES)
def test_the_cheapest_accepted_compression_is_chosen(accepted: str, encoding: str) -> None:
    assert choose_compressor(accepted).encoding == encoding
