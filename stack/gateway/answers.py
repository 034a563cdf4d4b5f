"""How an answer looks: its headers, its summary, and an error in the midst of it."""

import json
import secrets
from typing import Final

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
