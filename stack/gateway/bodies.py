"""Request bodies: read in pieces, decompressed, bounded."""

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Final

from stack.gateway.compression import Decompressor
from stack.gateway.errors import Code, StatementError

# A server parses at most this much of a statement (max_query_size); rows of an insert may follow it.
HEAD_BYTES: Final = 262_144
MAX_STATEMENT_BYTES: Final = 16 * 1024 * 1024
MAX_INSERT_BYTES: Final = 16 * 1024 * 1024 * 1024
_PIECE_BYTES: Final = 1024 * 1024

_BOUNDARY: Final = re.compile(r'boundary="?([^";]+)"?')
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
        self._ended = False
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

    async def whole(self, limit: int = MAX_STATEMENT_BYTES) -> bytes:
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
        gathered = bytearray()
        async for piece in self._pieces:
            gathered += piece
            if len(gathered) >= _PIECE_BYTES:
                break
        else:
            self._ended = True
        data = await self._expand(bytes(gathered))
        if self._ended:
            self._decompressor.finish()
        self._total += len(data)
        if self._total > MAX_INSERT_BYTES:
            raise StatementError(
                Code.QUERY_IS_TOO_LARGE, f"The body is larger than {MAX_INSERT_BYTES} bytes: send it in parts"
            )
        return data

    async def _expand(self, data: bytes) -> bytes:
        if len(data) < HEAD_BYTES:
            return self._decompressor.feed(data)
        return await self._run(lambda: self._decompressor.feed(data))


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
