"""Request bodies: read in pieces, decompressed, bounded."""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Final

from stack.gateway.compression import Decompressor
from stack.gateway.errors import Code, StatementError

# A server parses at most this much of a statement (max_query_size); rows of an insert may follow it.
HEAD_BYTES: Final = 262_144
MAX_INSERT_BYTES: Final = 16 * 1024 * 1024 * 1024
_PIECE_BYTES: Final = 1024 * 1024
# What is expanded at once: a thread takes longer to hand it to.
_SHORT_BYTES: Final = 32_768

PAUSE_SECONDS: Final = 60.0
"""How long a client may send nothing in the midst of a body; a server waits for 30 s."""

WAITING_SECONDS: Final = 3_600.0
"""How long all of a body may be waited for; what the engine takes for the rows does not count."""

_BOUNDARY: Final = re.compile(r'boundary="?([^";]+)"?', re.IGNORECASE)
_DISPOSITION: Final = re.compile(r'\b(name|filename)="((?:[^"\\]|\\.)*)"')

RunInThread = Callable[[Callable[[], bytes]], Awaitable[bytes]]


class Body:
    """The body of a request, decompressed piece by piece and never held whole."""

    def __init__(self, pieces: AsyncIterator[bytes], encoding: str, prefix: bytes, run: RunInThread) -> None:
        """Start reading.

        Args:
            pieces: The body as it arrives.
            encoding: The request's `Content-Encoding`.
            prefix: What comes before the body: the statement's beginning from the address.
            run: Runs work that takes long in a thread.
        """
        self._pieces = pieces
        self._decompressor = Decompressor(encoding)
        self._run = run
        self._total = 0
        self._waited_seconds = 0.0
        self._ended = False
        self._has_arrived = False
        self._is_short = True
        self._expanding: Iterator[bytes] = iter(())
        self._pending = bytearray(prefix)

    async def head(self) -> bytes:
        """The first bytes, as many as a statement may have; `rest` gives them again."""
        while len(self._pending) < HEAD_BYTES and not self._ended:
            self._pending += await self._next()
        return bytes(self._pending)

    async def rest(self, skip: int) -> AsyncIterator[bytes]:
        """The pieces behind the first `skip` bytes."""
        first = bytes(self._pending[skip:])
        self._pending.clear()
        if first:
            yield first
        while not self._ended:
            piece = await self._next()
            if piece:
                yield piece

    async def whole(self, limit: int) -> bytes:
        """The whole body.

        Raises:
            StatementError: It is larger than the limit (code 229, HTTP 413).
        """
        while not self._ended and len(self._pending) <= limit:
            self._pending += await self._next()
        if len(self._pending) > limit:
            raise StatementError(
                Code.QUERY_IS_TOO_LARGE, f"The statement is larger than {limit} bytes: send it in parts"
            )
        return bytes(self._pending)

    async def _next(self) -> bytes:
        """The next piece, of bounded size, however much the body expands to."""
        data = await self._expand()
        while not data and not self._has_arrived:
            arrived = await self._arriving()
            self._is_short = self._decompressor.is_identity or len(arrived) < _SHORT_BYTES
            self._expanding = self._decompressor.feed(arrived)
            data = await self._expand()
        if not data:
            self._ended = True
            self._decompressor.finish()
        self._total += len(data)
        if self._total > MAX_INSERT_BYTES:
            raise StatementError(
                Code.QUERY_IS_TOO_LARGE, f"The body is larger than {MAX_INSERT_BYTES} bytes: send it in parts"
            )
        return data

    async def _arriving(self) -> bytes:
        """What arrives next, up to a piece; bounded in time, since a statement holds its turn for so long."""
        gathered = bytearray()
        clock = asyncio.get_running_loop().time
        began = clock()
        left_seconds = WAITING_SECONDS - self._waited_seconds
        try:
            async with asyncio.timeout(min(PAUSE_SECONDS, left_seconds)) as patience:
                async for piece in self._pieces:
                    gathered += piece
                    if len(gathered) >= _PIECE_BYTES:
                        return bytes(gathered)
                    patience.reschedule(min(clock() + PAUSE_SECONDS, began + left_seconds))
        except TimeoutError:
            raise StatementError(
                Code.SOCKET_TIMEOUT,
                f"The rest of the body did not arrive: the client sent nothing for {PAUSE_SECONDS:.0f} s, or "
                f"took longer than {WAITING_SECONDS:.0f} s for all of it. Send it again, faster or in parts",
            ) from None
        finally:
            self._waited_seconds += clock() - began
        self._has_arrived = True
        return bytes(gathered)

    async def _expand(self) -> bytes:
        return self._expanded() if self._is_short else await self._run(self._expanded)

    def _expanded(self) -> bytes:
        return next((piece for piece in self._expanding if piece), b"")


def read_form(body: bytes, content_type: str) -> dict[str, bytes]:
    """The fields of a `multipart/form-data` body.

    Raises:
        StatementError: It is not such a body, or it holds files.
    """
    found = _BOUNDARY.search(content_type)
    if found is None:
        raise StatementError(Code.BAD_ARGUMENTS, "A multipart body without a boundary")
    fields: dict[str, bytes] = {}
    for section in (b"\r\n" + body).split(b"\r\n--" + found[1].encode())[1:]:
        if section.startswith(b"--"):
            return fields
        header, separator, content = section.partition(b"\r\n\r\n")
        names = dict(_DISPOSITION.findall(header.decode(errors="replace")))
        if not separator or "name" not in names:
            raise StatementError(Code.BAD_ARGUMENTS, "A multipart field without a name")
        name = names["name"]
        if "filename" in names or not (name == "query" or name.startswith("param_")):
            raise StatementError(
                Code.NOT_IMPLEMENTED,
                f"The form holds {name}, but external tables are not supported. A form may hold the fields "
                "query and param_<name>; bind a list as a parameter, or use a temporary table of a session",
            )
        fields[name] = content
    raise StatementError(Code.BAD_ARGUMENTS, "The multipart body was cut off")
