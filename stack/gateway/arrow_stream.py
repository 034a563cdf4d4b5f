"""One Arrow stream from many: the engine makes each piece of a streamed result a whole stream of its own."""

import io
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any, Final

import pyarrow as pa

from stack.gateway.engine import Chunk, Connection, ResultStream, Statistics

FORMAT: Final = "arrowstream"


class ArrowResultStream:
    """A streamed result in the format ArrowStream, with one schema at its beginning and one mark at its end.

    Args:
        stream: The result as the engine gives it.
        connection: The connection of the query; it is asked again, whole, where there are no rows, since an
            Arrow stream without rows has a schema nevertheless.
        text: The query.
        parameters: Its parameters.
    """

    def __init__(
        self, stream: ResultStream, connection: Connection, text: bytes, parameters: Mapping[str, str]
    ) -> None:
        self._stream = stream
        self._ask_again = partial(connection.execute, text, "ArrowStream", parameters)
        self._written = io.BytesIO()
        self._writer: Any = None
        self._statistics = Statistics()
        self._has_ended = False

    def fetch(self) -> Chunk | None:
        """The next piece, or None at the end."""
        if self._has_ended:
            return None
        chunk = self._stream.fetch()
        if chunk is None:
            return self._end()
        piece: pa.RecordBatchStreamReader = pa.ipc.open_stream(chunk.data)
        if self._writer is None:
            self._writer = pa.ipc.new_stream(self._written, piece.schema)
        for batch in piece:
            self._writer.write_batch(batch)
        self._statistics = chunk.statistics
        return replace(chunk, data=self._take())

    def cancel(self) -> None:
        """Stop the query; nothing can be fetched afterwards."""
        self._stream.cancel()

    def _end(self) -> Chunk:
        self._has_ended = True
        if self._writer is None:
            self._stream.cancel()
            return self._ask_again()
        self._writer.close()
        return Chunk(self._take(), replace(self._statistics, result_rows=0, result_bytes=0))

    def _take(self) -> bytes:
        data = self._written.getvalue()
        self._written.seek(0)
        self._written.truncate()
        return data
