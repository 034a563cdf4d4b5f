"""How an answer looks: its headers, its summary, and an error in the midst of it."""

import json
import secrets
from dataclasses import dataclass
from typing import IO, Final

from starlette.types import Send

from stack.gateway.engine import Statistics
from stack.gateway.errors import StatementError

# Formats without a beginning and an end: the pieces of a streamed result, one after the other, are a result.
STREAMABLE_FORMATS: Final = frozenset(
    name.lower()
    for name in (
        "Native", "RowBinary", "TabSeparated", "TSV", "TabSeparatedRaw", "TSVRaw", "Raw", "CSV",
        "JSONEachRow", "JSONLines", "NDJSON", "JSONCompactEachRow", "JSONStringsEachRow", "MsgPack",
    )
)  # fmt: skip

_CONTENT_TYPES: Final = {
    "tabseparated": "text/tab-separated-values; charset=UTF-8",
    "tsv": "text/tab-separated-values; charset=UTF-8",
    "csv": "text/csv; charset=UTF-8; header=absent",
    "csvwithnames": "text/csv; charset=UTF-8; header=present",
    "json": "application/json; charset=UTF-8",
    "jsoncompact": "application/json; charset=UTF-8",
    "jsoneachrow": "application/x-ndjson; charset=UTF-8",
    "native": "application/octet-stream",
    "rowbinary": "application/octet-stream",
    "arrow": "application/vnd.apache.arrow.file",
    "arrowstream": "application/vnd.apache.arrow.stream",
    "parquet": "application/vnd.apache.parquet",
}
_OTHER_CONTENT_TYPE: Final = "text/plain; charset=UTF-8"

# How much of a long answer is read from its file at once.
_PIECE_BYTES: Final = 1024 * 1024


def new_exception_tag() -> str:
    """A mark by which a client tells an error in the midst of an answer from the answer."""
    return secrets.token_hex(8)


def exception_block(error: StatementError, tag: str) -> bytes:
    """An error in the midst of an answer, as servers since 25.11 write it."""
    text = error.text.encode()
    return b"\r\n".join(
        (b"\r\n__exception__", tag.encode(), text + f"\n{len(text)} {tag}".encode(), b"__exception__\r\n")
    )


def common_headers(query_id: str, timezone: str) -> dict[str, str]:
    """The headers that every answer to a statement has."""
    return {
        "X-ClickHouse-Server-Display-Name": "clickstream",
        "X-ClickHouse-Query-Id": query_id,
        "X-ClickHouse-Timezone": timezone,
    }


def format_headers(fmt: str) -> dict[str, str]:
    """The headers that tell the format of a result."""
    return {
        "X-ClickHouse-Format": fmt,
        "Content-Type": _CONTENT_TYPES.get(fmt.lower(), _OTHER_CONTENT_TYPE),
    }


def summary_header(statistics: Statistics) -> dict[str, str]:
    """The header that tells what a statement read and wrote; numbers are text, as a server sends them."""
    return {
        "X-ClickHouse-Summary": json.dumps(
            {
                "read_rows": str(statistics.read_rows),
                "read_bytes": str(statistics.read_bytes),
                "written_rows": str(statistics.written_rows),
                "written_bytes": str(statistics.written_bytes),
                "total_rows_to_read": "0",
                "result_rows": str(statistics.result_rows),
                "result_bytes": str(statistics.result_bytes),
                "elapsed_ns": str(round(statistics.elapsed_seconds * 1e9)),
            }
        )
    }


class AnswerCutShortError(Exception):
    """An answer that had begun could not be completed.

    Attributes:
        code: ClickHouse's code of the error, which the client has been sent.
    """

    def __init__(self, code: int) -> None:
        super().__init__(f"code {code}")
        self.code = code


@dataclass(frozen=True)
class Ending:
    """What remains to be sent when a statement has ended and its connection is free.

    Attributes:
        headers: Headers of the answer; None if it has begun.
        body: The rest of the answer.
        spool: A long answer as a file, instead of `body`.
    """

    headers: dict[str, str] | None
    body: bytes = b""
    spool: IO[bytes] | None = None

    async def send(self, send: Send) -> None:
        """Send it."""
        if self.spool is not None:
            with self.spool as spool:
                await _send_spool(send, self.headers or {}, spool)
            return
        if self.headers is not None:
            await start(send, self.headers | {"Content-Length": str(len(self.body))})
        await send_piece(send, self.body, more=False)


async def start(send: Send, headers: dict[str, str]) -> None:
    """Send the status and the headers of an answer that will probably succeed."""
    encoded = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": 200, "headers": encoded})


async def send_piece(send: Send, piece: bytes, *, more: bool = True) -> None:
    """Send a piece of an answer that has begun."""
    await send({"type": "http.response.body", "body": piece, "more_body": more})


async def _send_spool(send: Send, headers: dict[str, str], spool: IO[bytes]) -> None:
    await start(send, headers | {"Content-Length": str(spool.tell())})
    spool.seek(0)
    while piece := spool.read(_PIECE_BYTES):
        await send_piece(send, piece)
    await send_piece(send, b"", more=False)
