"""The report on one CSV file: every line with a problem, as CSV that is safe to open in a spreadsheet."""

import csv
import io
import re
from collections.abc import Iterator
from typing import Final

from clickhouse_connect.driver.exceptions import ClickHouseError
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from clickstream.errors import ClickstreamError
from clickstream.etl.quarantine_file import escape_formula
from clickstream.storage.sql import load_sql
from control_panel.clients.warehouse import explained, warehouse

COLUMNS: Final = ("line", "outcome", "code", "field", "message", "value")
_SHA256: Final = re.compile(r"[0-9a-f]{64}")
_BYTE_ORDER_MARK: Final = "\ufeff"


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
    parameters = {"origin": f"csv/{sha256}"}
    try:
        stream = warehouse().query_row_block_stream(load_sql("panel/csv_problems"), parameters=parameters)
        with stream:
            yield _BYTE_ORDER_MARK + _row(COLUMNS)
            for block in stream:
                yield "".join(_row([escape_formula(str(cell)) for cell in row]) for row in block)
    except ClickHouseError as error:
        raise explained(error) from error


def _row(cells: tuple[str, ...] | list[str]) -> str:
    text = io.StringIO()
    csv.writer(text).writerow(cells)
    return text.getvalue()
