"""uvicorn's protocol with bounds on how large and how slow a request may be, which it lacks."""

import asyncio
from enum import Enum, auto
from typing import Any, Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

MAX_HEAD_BYTES: Final = 65_536
"""Longest head of a request: its first line and its headers."""

_MAX_FRAMED_BYTES: Final = 4_194_304
_TOO_LARGE: Final = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"
)


class _Part(Enum):
    """The part of a request that is being read."""

    NONE = auto()
    HEAD = auto()
    BODY = auto()


class BoundedProtocol(HttpToolsProtocol):
    """Closes a connection when a request on it, the first or a later one, is endless or does not arrive.

    Between two requests, uvicorn's own `timeout_keep_alive` applies. Most requests arrive whole at once, and
    for these no timer is started.

    Attributes:
        head_seconds: How long a head may take to arrive, from its first byte; for the first request of a
            connection, from the moment of connecting.
        body_seconds: How long a body may take. An application that wants to answer slow clients must give
            up sooner.
    """

    head_seconds: float = 30.0
    body_seconds: float = 60.0

    def __init__(self, *args: Any, **keywords: Any) -> None:
        super().__init__(*args, **keywords)
        self._part = _Part.HEAD
        self._timed_part = _Part.NONE
        self._timer: asyncio.TimerHandle | None = None
        self._messages = 0
        self._framing_bytes = 0
        self._body_bytes = 0
        self._body_began_at = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Starts to wait for the first head."""
        super().connection_made(transport)
        self._time_part()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stops waiting."""
        self._part = _Part.NONE
        self._time_part()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Feeds the parser; then looks how much of a request has come, and starts or stops its timer."""
        messages, body_bytes = self._messages, self._body_bytes
        was_between_requests = self._part is _Part.NONE
        super().data_received(data)
        if was_between_requests and self._messages == messages:
            # Line breaks between two requests, which the parser skips and uvicorn takes for a sign of life.
            self._part = _Part.HEAD
        if self._messages - messages <= 1:
            # Of several requests in one piece, only the last one can be unfinished, and it is short.
            self._framing_bytes += len(data) - (self._body_bytes - body_bytes)
        if self._part is not _Part.NONE and self._is_overlong():
            self._refuse()
        if self._part is not self._timed_part:
            self._time_part()

    def handle_websocket_upgrade(self) -> None:
        """Another protocol takes the connection over, which may last as long as it likes."""
        self._part = _Part.NONE
        super().handle_websocket_upgrade()

    def on_message_begin(self) -> None:
        """A head begins."""
        self._part = _Part.HEAD
        self._messages += 1
        self._framing_bytes = 0
        super().on_message_begin()

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header; or, after the body, a trailer, which uvicorn would take for a header of the request."""
        if self._part is not _Part.BODY:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """A body begins, even if it is empty."""
        self._part = _Part.BODY
        self._framing_bytes = 0
        self._body_began_at = self._body_bytes
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """A piece of a body."""
        self._body_bytes += len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        """A request has arrived."""
        self._part = _Part.NONE
        super().on_message_complete()

    def _is_overlong(self) -> bool:
        """Whether more was sent around the body than any client needs.

        That is the head, and with a chunked body also the sizes of chunks, their extensions and trailers.
        """
        allowed = MAX_HEAD_BYTES
        if self._part is _Part.BODY:
            allowed += min(self._body_bytes - self._body_began_at, _MAX_FRAMED_BYTES)
        return self._framing_bytes > allowed

    def _refuse(self) -> None:
        if self.transport.is_closing():
            return
        if self._part is _Part.HEAD and (self.cycle is None or self.cycle.response_complete):
            self.transport.write(_TOO_LARGE)
        self.transport.close()

    def _time_part(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._timed_part = self._part
        if self._part is not _Part.NONE:
            seconds = self.head_seconds if self._part is _Part.HEAD else self.body_seconds
            self._timer = self.loop.call_later(seconds, self.transport.close)
