"""The report on one CSV file: every line with a problem, as CSV that is safe to open in a spreadsheet."""

import re
from collections.abc import Iterator
from typing import Final

from clickhouse_connect.driver.exceptions import ClickHouseError
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from clickstream.errors import ClickstreamError
from clickstream.loads.report import stream_report
from control_panel.clients.warehouse import explained, warehouse

_SHA256: Final = re.compile(r"[0-9a-f]{64}")


async def load_report(request: Request) -> Response:
    """The report on the file with a SHA-256."""
    sha256 = request.path_params["sha256"]
    if not _SHA256.fullmatch(sha256):
        return JSONResponse({"error": "The address must name a file by its SHA-256."}, 404)
    lines = _lines(sha256)
    try:
        # The first line comes with the answer of ClickHouse, so a refusal still has a status of its own.
        first = await run_in_threadpool(next, lines)
    except ClickstreamError as error:
        return JSONResponse({"error": f"{error} {error.hint}".strip()}, 503)
    headers = {
        "content-disposition": f'attachment; filename="report-{sha256[:12]}.csv"',
        "cache-control": "no-store",
    }
    return StreamingResponse(_chain(first, lines), media_type="text/csv; charset=utf-8", headers=headers)


def _chain(first: str, rest: Iterator[str]) -> Iterator[str]:
    yield first
    yield from rest


def _lines(sha256: str) -> Iterator[str]:
    try:
        yield from stream_report(warehouse(), sha256)
    except ClickHouseError as error:
        raise explained(error) from error
