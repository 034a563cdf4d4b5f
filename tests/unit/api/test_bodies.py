"""Bodies: what is taken, what is refused, and how much memory a refusal takes."""

import asyncio
import gzip
import time
import tracemalloc
from collections.abc import Callable, Sequence

import pytest
import zstandard
from starlette.requests import Request
from starlette.types import Message

from api.bodies import read_text
from api.refusals import Refusal, RefusalCode
from clickstream.event.items import without_marks
from clickstream.settings import ApiSettings

Compress = Callable[[bytes], bytes]

SETTINGS = ApiSettings(max_body_bytes=100_000, max_expanded_bytes=1_000_000, body_timeout_seconds=0.05)
TEXT = '[{"type": "click"}]'


def read(body: bytes | Sequence[bytes], *, ends: bool = True, **headers: str) -> str:
    pieces = [body] if isinstance(body, bytes) else list(body)
    messages: list[Message] = [
        {"type": "http.request", "body": piece, "more_body": place < len(pieces) - 1 or not ends}
        for place, piece in enumerate(pieces)
    ]

    async def receive() -> Message:
        if messages:
            return messages.pop(0)
        if not ends:
            await asyncio.Event().wait()
        return {"type": "http.disconnect"}

    named = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    scope = {"type": "http", "method": "POST", "path": "/events", "query_string": b"", "headers": named}
    return asyncio.run(read_text(Request(scope, receive), SETTINGS))


def refused(body: bytes | Sequence[bytes], *, ends: bool = True, **headers: str) -> Refusal:
    with pytest.raises(Refusal) as caught:
        read(body, ends=ends, **headers)
    return caught.value


def zstd(data: bytes) -> bytes:
    return zstandard.ZstdCompressor().compress(data)


@pytest.mark.parametrize(
    "content_type",
    ["application/json", "text/plain;charset=UTF-8", "Application/JSON; charset=utf-8", ""],
)
def test_takes_json_by_its_types(content_type: str) -> None:
    assert read(TEXT.encode(), content_type=content_type) == TEXT


@pytest.mark.parametrize("content_type", ["application/xml", "text/plain; charset=utf-16", "a/b"])
def test_names_the_types_that_it_takes(content_type: str) -> None:
    refusal = refused(TEXT.encode(), content_type=content_type)
    assert refusal.body.code is RefusalCode.UNSUPPORTED_CONTENT_TYPE
    assert refusal.body.accepted == ("application/json", "text/plain")


def test_names_the_encodings_that_it_takes() -> None:
    refusal = refused(TEXT.encode(), content_encoding="br")
    assert refusal.body.code is RefusalCode.UNSUPPORTED_CONTENT_ENCODING
    assert refusal.body.accepted == ("identity", "gzip", "zstd")


@pytest.mark.parametrize(("encoding", "compress"), [("gzip", gzip.compress), ("zstd", zstd)])
class TestCompressed:
    def test_reads_every_frame(self, encoding: str, compress: Compress) -> None:
        text = "[" + ",".join(["1"] * 50_000) + "]"
        half = len(text) // 2
        body = compress(text[:half].encode()) + compress(text[half:].encode())
        assert read([body[:777], body[777:]], content_encoding=encoding) == text

    def test_refuses_what_is_cut_off(self, encoding: str, compress: Compress) -> None:
        body = compress(TEXT.encode() * 100)
        for end in (1, 5, len(body) // 2, len(body) - 1):
            assert refused(body[:end], content_encoding=encoding).body.code is RefusalCode.INVALID_COMPRESSION

    def test_refuses_what_follows_the_last_frame(self, encoding: str, compress: Compress) -> None:
        body = compress(TEXT.encode()) + b"more than a frame"
        assert refused(body, content_encoding=encoding).body.code is RefusalCode.INVALID_COMPRESSION

    def test_refuses_more_frames_than_a_client_needs(self, encoding: str, compress: Compress) -> None:
        """Each costs time, even if there is nothing in it."""
        assert read(compress(b"") * 900 + compress(TEXT.encode()), content_encoding=encoding) == TEXT
        body = refused(compress(b"") * 1_001, content_encoding=encoding).body
        assert body.code is RefusalCode.INVALID_COMPRESSION
        assert f"more than 1000 {encoding} frames" in body.message

    def test_refuses_a_bomb_without_unpacking_it(self, encoding: str, compress: Compress) -> None:
        bomb = compress(b"0" * 80_000_000)
        assert len(bomb) < SETTINGS.max_body_bytes
        tracemalloc.start()
        refusal = refused(bomb, content_encoding=encoding)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert (refusal.body.code, refusal.body.limit) == (RefusalCode.BODY_TOO_LARGE, 1_000_000)
        assert peak < 12_000_000


def test_a_zstd_frame_that_claims_much_memory_is_refused() -> None:
    parameters = zstandard.ZstdCompressionParameters(window_log=27, format=zstandard.FORMAT_ZSTD1)
    stream = zstandard.ZstdCompressor(compression_params=parameters).compressobj()
    body = stream.compress(TEXT.encode()) + stream.flush()
    assert refused(body, content_encoding="zstd").body.code is RefusalCode.INVALID_COMPRESSION


def test_the_limit_holds_with_and_without_an_announced_length() -> None:
    at_limit, above = b" " * 100_000, b" " * 100_001
    assert len(read(at_limit)) == 100_000
    assert refused(above).body.limit == 100_000
    assert refused([above[:50_000], above[50_000:]]).body.limit == 100_000
    assert refused(TEXT.encode(), content_length="100001").body.limit == 100_000


def test_a_body_that_does_not_end_is_given_up() -> None:
    assert refused(b"[", ends=False).body.code is RefusalCode.BODY_TIMEOUT


def test_tells_where_a_body_is_not_utf_8() -> None:
    body = refused('{"ä":\n, "'.encode() + b'\xff"}').body
    assert (body.code, body.line, body.column, body.found) == (
        RefusalCode.INVALID_ENCODING,
        2,
        4,
        "the byte \\xff",
    )


def test_a_byte_order_mark_is_no_part_of_the_text() -> None:
    assert read(b"\xef\xbb\xbf" + TEXT.encode()) == TEXT


def test_many_byte_order_marks_cost_no_more_than_their_length() -> None:
    """Taken off one at a time, these would be copied for minutes."""
    assert read(b"\xef\xbb\xbf" * 33_000 + b"[]") == "[]"
    body = b"\xef\xbb\xbf" * 1_300_000 + b"[]"
    started = time.process_time()
    assert without_marks(body) == b"[]"
    assert time.process_time() - started < 5
