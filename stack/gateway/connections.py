"""Connections that prove nothing are few, and none may dawdle over a request's head."""

import asyncio
from collections import OrderedDict
from typing import Any, ClassVar, Final

import h11
from uvicorn.config import Config
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

HEAD_SECONDS: Final = 10.0
"""How long a client may take from the first byte of a request to the end of its head."""

MAX_UNPROVEN: Final = 64
"""Connections that may be open without having shown a right password; a new one ends the oldest."""

_STATE_KEY: Final = "connection"


class GuardedProtocol(H11Protocol):
    """A connection whose every head has a time limit, and that is among the first to go until it signs in."""

    _unproven: ClassVar["OrderedDict[GuardedProtocol, None]"] = OrderedDict()

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, {**app_state, _STATE_KEY: self}, _loop)
        self.has_proven = False
        self._head_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take a connection, and end the oldest of those that have proven nothing if there are too many."""
        super().connection_made(transport)
        while len(self._unproven) >= MAX_UNPROVEN:
            oldest, _ = self._unproven.popitem(last=False)
            oldest.transport.abort()
        self._unproven[self] = None
        self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self._unproven.pop(self, None)
        self._stop_waiting()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take what has arrived; the time for a head runs from its first byte."""
        if self.conn.their_state is h11.IDLE:
            self._await_head()
        super().data_received(data)
        if self.conn.their_state is not h11.IDLE:
            self._stop_waiting()

    def on_response_complete(self) -> None:
        """Go on with the next request, a part of which may have arrived already."""
        super().on_response_complete()
        if self.conn.their_state is h11.IDLE and self.conn.trailing_data[0]:
            self._await_head()

    def prove(self) -> None:
        """Note that the client has shown a right password."""
        self.has_proven = True
        self._unproven.pop(self, None)

    def _await_head(self) -> None:
        if self._head_timer is None:
            self._head_timer = self.loop.call_later(HEAD_SECONDS, self.transport.abort)

    def _stop_waiting(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None


def connection_of(scope: Any) -> GuardedProtocol | None:
    """The connection on which a request came; None where another server runs the application."""
    found = scope.get("state", {}).get(_STATE_KEY)
    return found if isinstance(found, GuardedProtocol) else None
