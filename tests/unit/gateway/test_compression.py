"""Bodies are read to the end, through every frame."""

import gzip
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


@pytest.mark.parametrize("encoding", ENCODINGS)
@given(frames=st.lists(st.binary(max_size=300), min_size=1, max_size=6), cut=st.integers(1, 50))
def test_frames_are_read_however_they_are_cut(encoding: str, frames: list[bytes], cut: int) -> None:
    body = b"".join(COMPRESS[encoding](frame) for frame in frames)
    decompressor = Decompressor(encoding)
    found = b"".join(decompressor.feed(body[at : at + cut]) for at in range(0, len(body), cut))
    decompressor.finish()
    assert found == b"".join(frames)


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("frames", [1, 3])
def test_a_frame_without_its_end_is_refused(encoding: str, frames: int) -> None:
    whole = COMPRESS[encoding](bytes(range(256)) * 10)
    decompressor = Decompressor(encoding)
    decompressor.feed(whole * (frames - 1) + whole[:-1])
    with pytest.raises(StatementError) as caught:
        decompressor.finish()
    assert caught.value.code == Code.CANNOT_DECOMPRESS


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_what_is_no_frame_is_refused(encoding: str) -> None:
    with pytest.raises(StatementError) as caught:
        Decompressor(encoding).feed(b"these are rows, not a frame")
    assert caught.value.code == Code.CANNOT_DECOMPRESS


def test_an_unknown_encoding_is_named_with_the_known_ones() -> None:
    with pytest.raises(StatementError, match=r"'snappy'.*gzip.*lz4"):
        Decompressor("snappy")


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_an_answer_is_readable_piece_by_piece(encoding: str) -> None:
    compressor = choose_compressor(encoding)
    decompressor = Decompressor(encoding)
    assert decompressor.feed(compressor.add(b"first")) == b"first"
    assert decompressor.feed(compressor.add(b"second")) == b"second"
    assert decompressor.feed(compressor.finish()) == b""
    decompressor.finish()


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
