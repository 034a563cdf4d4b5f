"""Bodies of requests as text: read within bounds, decompressed to the very end, UTF-8."""

import asyncio
import contextlib
import zlib
from collections.abc import Callable, Iterator
from typing import Final, Protocol

import zstandard
from starlette.requests import ClientDisconnect, Request
from starlette.types import Message

from api import metrics
from api.refusals import Refusal, RefusalBody, RefusalCode
from clickstream.event.items import holds_json, is_array, split_array, without_marks
from clickstream.event.recognise import recognise_encoding, recognise_text
from clickstream.event.syntax import line_and_column
from clickstream.settings import ApiSettings

CONTENT_TYPES: Final = ("application/json", "text/plain")
"""What is taken; `text/plain` is what browsers' `sendBeacon` sends. None at all counts as JSON."""

_PLAIN: Final = "identity"
CONTENT_ENCODINGS: Final = (_PLAIN, "gzip", "zstd")

_CHARSETS: Final = frozenset({"", "utf-8", "utf8", "us-ascii"})
# What is left of a refused body is read this far, as many clients read no answer before they sent all.
_SKIPPED_BYTES: Final = 64 << 20
_SKIP_SECONDS: Final = 5.0
_GZIP_WINDOW: Final = 31
# Clients send one frame, or one for each chunk. Empty frames cost time, and a body could have 400,000.
_MAX_FRAMES: Final = 1_000
# A larger body is decoded in a thread, as mending one that is not UTF-8 takes long.
_SMALL_BODY: Final = 262_144
# A frame that claims to need more memory to be decompressed is refused.
_ZSTD_WINDOW_BYTES: Final = 8 << 20


class _Frame(Protocol):
    """A gzip member or a zstd frame that is being decompressed."""

    slice_bytes: int
    """Input that is fed at once."""

    def expand(self, data: bytes) -> Iterator[bytes]:
        """What comes out, in pieces of bounded size."""

    def ended(self) -> bool:
        """Whether the member or frame is complete."""

    def unused(self) -> bytes:
        """What was fed and comes after its end."""


async def read_text(request: Request, settings: ApiSettings) -> str:
    """The body of a request as text.

    Raises:
        Refusal: It has a type or encoding that is not taken, is too large, is cut off, or is not UTF-8.
    """
    headers = request.headers
    _check_content_type(headers.get("content-type", ""))
    encoding = _content_encoding(headers.get("content-encoding", ""))
    try:
        sent = await _read(request, settings)
    except Refusal as refusal:
        if refusal.body.code is RefusalCode.BODY_TOO_LARGE:
            await _skip_rest(request)
        raise
    if encoding == _PLAIN:
        body = _within(sent, settings.max_expanded_bytes)
    else:
        # In a thread, as a small body can take long to expand: others must not wait for it.
        body = await asyncio.to_thread(_expand, sent, encoding, settings.max_expanded_bytes)
    metrics.BODY_BYTES.inc(len(body))
    return _decode(body) if len(body) <= _SMALL_BODY else await asyncio.to_thread(_decode, body)


def _check_content_type(value: str) -> None:
    media_type, _, parameters = value.partition(";")
    charset = ""
    for parameter in parameters.split(";"):
        name, _, text = parameter.partition("=")
        if name.strip().lower() == "charset":
            charset = text.strip().strip('"').lower()
    if media_type.strip().lower() not in ("", *CONTENT_TYPES) or charset not in _CHARSETS:
        raise Refusal(
            RefusalBody(
                RefusalCode.UNSUPPORTED_CONTENT_TYPE,
                f"Content-Type is {value[:100]!r}; send JSON in UTF-8 as {' or '.join(CONTENT_TYPES)}.",
                accepted=CONTENT_TYPES,
            ),
            {"Accept-Post": ", ".join(CONTENT_TYPES)},
        )


def _content_encoding(value: str) -> str:
    encoding = value.strip().lower().removeprefix("x-") or _PLAIN  # RFC 9110: x-gzip is gzip.
    if encoding not in CONTENT_ENCODINGS:
        raise Refusal(
            RefusalBody(
                RefusalCode.UNSUPPORTED_CONTENT_ENCODING,
                f"Content-Encoding is {value[:100]!r}; send one of {', '.join(CONTENT_ENCODINGS)}.",
                accepted=CONTENT_ENCODINGS,
            ),
            {"Accept-Encoding": ", ".join(CONTENT_ENCODINGS[1:])},
        )
    return encoding


async def _read(request: Request, settings: ApiSettings) -> bytes:
    """The bytes as sent, no more of them than allowed."""
    limit = settings.max_body_bytes
    announced = request.headers.get("content-length", "")
    if announced.isdecimal() and int(announced[:20]) > limit:
        raise _too_large("The body as sent", limit)
    loop = asyncio.get_running_loop()
    deadline = loop.time() + settings.body_timeout_seconds
    pieces: list[bytes] = []
    length = 0
    more = True
    while more:
        message = await _receive(request, deadline, settings.body_timeout_seconds)
        piece: bytes = message.get("body", b"")
        pieces.append(piece)
        length += len(piece)
        if length > limit:
            raise _too_large("The body as sent", limit)
        more = message.get("more_body", False)
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)


async def _receive(request: Request, deadline: float, seconds: float) -> Message:
    try:
        async with asyncio.timeout_at(deadline):
            message = await request.receive()
    except TimeoutError:
        raise Refusal(
            RefusalBody(
                RefusalCode.BODY_TIMEOUT,
                f"The body took longer to arrive than {seconds:g} seconds. Nothing was taken.",
                limit=seconds,
            ),
            {"Connection": "close"},
        ) from None
    if message["type"] == "http.disconnect":
        raise ClientDisconnect
    return message


def _within(body: bytes, limit: int) -> bytes:
    if len(body) > limit:
        raise _too_large("The body", limit)
    return body


def _expand(sent: bytes, encoding: str, limit: int) -> bytes:
    """The body decompressed, through all its members or frames.

    Whatever the body claims to expand to, no more than the limit and one piece is ever held.
    """
    expanded = bytearray()
    frame: _Frame | None = None
    start = frames = 0
    try:
        while start < len(sent):
            if frame is None:
                frames += 1
                if frames > _MAX_FRAMES:
                    raise _broken(f"The body has more than {_MAX_FRAMES} {encoding} frames; send it as one.")
                frame = _FRAMES[encoding]()
            fed = sent[start : start + frame.slice_bytes]
            for piece in frame.expand(fed):
                expanded += piece
                if len(expanded) > limit:
                    raise _too_large("The decompressed body", limit)
            start += len(fed)
            if frame.ended():
                start -= len(frame.unused())
                frame = None
    except (zlib.error, zstandard.ZstdError) as error:
        raise _broken(f"The body is not valid {encoding}: {error}.") from None
    if frame is not None:
        raise _broken(f"The body ends within {encoding} data: it was cut off.")
    return bytes(expanded)


class _GzipMember:
    slice_bytes = 16_384
    _piece_bytes: Final = 65_536

    def __init__(self) -> None:
        self._stream = zlib.decompressobj(_GZIP_WINDOW)

    def expand(self, data: bytes) -> Iterator[bytes]:
        piece = self._stream.decompress(data, self._piece_bytes)
        yield piece
        while len(piece) == self._piece_bytes and not self._stream.eof:
            piece = self._stream.decompress(self._stream.unconsumed_tail, self._piece_bytes)
            yield piece

    def ended(self) -> bool:
        return self._stream.eof

    def unused(self) -> bytes:
        return self._stream.unused_data


class _ZstdFrame:
    # The library can't bound what one call gives. Four bytes are a block of at most 128 KiB (RFC 8878,
    # section 3.1.1.2), so a slice gives at most 4 MiB.
    slice_bytes = 128

    def __init__(self) -> None:
        self._stream = zstandard.ZstdDecompressor(max_window_size=_ZSTD_WINDOW_BYTES).decompressobj()

    def expand(self, data: bytes) -> Iterator[bytes]:
        yield self._stream.decompress(data)

    def ended(self) -> bool:
        return self._stream.eof

    def unused(self) -> bytes:
        return self._stream.unused_data


_FRAMES: Final[dict[str, Callable[[], _Frame]]] = {"gzip": _GzipMember, "zstd": _ZstdFrame}


def _decode(body: bytes) -> str:
    """The text; byte order marks at its beginning are not part of it.

    Where bytes that are not UTF-8 spoil only some events of an array, they are as `surrogateescape` has them.
    """
    body = without_marks(body)
    try:
        return body.decode()
    except UnicodeDecodeError as error:
        items = split_array(body) if is_array(body) else None
        if items and holds_json(items):
            return body.decode(errors="surrogateescape")
        raise _not_utf8(body, error.start) from None


def _not_utf8(body: bytes, start: int) -> Refusal:
    before = body[:start].decode()
    line, column = line_and_column(before + "?", len(before))
    found = f"the byte \\x{body[start]:02x}"
    text = body.decode(errors="backslashreplace")
    remedy = recognise_text(text) or recognise_encoding(text)
    return Refusal(
        RefusalBody(
            RefusalCode.INVALID_ENCODING,
            f"Line {line}, column {column}: expected text in UTF-8, found {found}. {remedy}".rstrip(),
            line=line,
            column=column,
            expected="text in UTF-8",
            found=found,
        )
    )


def _too_large(what: str, limit: int) -> Refusal:
    return Refusal(
        RefusalBody(
            RefusalCode.BODY_TOO_LARGE,
            f"{what} has more than {limit} bytes. Send the events in several requests.",
            limit=limit,
        ),
        {"Connection": "close"},
    )


def _broken(message: str) -> Refusal:
    return Refusal(RefusalBody(RefusalCode.INVALID_COMPRESSION, f"{message} Nothing was taken."))


async def _skip_rest(request: Request) -> None:
    """Reads what is left of a body, within bounds, so that the client comes to read the answer."""
    if request.headers.get("expect", "").lower() == "100-continue":
        return  # It waits for a word before it sends the body.
    skipped = 0
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_SKIP_SECONDS):
            while skipped <= _SKIPPED_BYTES:
                message = await request.receive()
                skipped += len(message.get("body", b""))
                if not message.get("more_body", False):
                    return
