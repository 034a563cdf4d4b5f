"""Uploads over HTTP: the page in the frame, and pieces of files. The guard has checked host and origin."""

import re
from contextlib import suppress
from pathlib import Path
from typing import Final

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse, JSONResponse, Response

from clickstream.errors import BadInputError, ClickstreamError
from control_panel import uploads
from control_panel.guard import SECURITY_HEADERS, account_in
from control_panel.preview import begin_preview
from control_panel.request_body import read_body
from control_panel.uploads import Upload, WrongOffsetError

_STATIC: Final = Path(__file__).parent / "static"
_FRAME_HEADERS: Final = {
    "x-frame-options": "SAMEORIGIN",
    "content-security-policy": SECURITY_HEADERS["content-security-policy"].replace(
        "frame-ancestors 'none'", "frame-ancestors 'self'"
    ),
    "cache-control": "no-store",
}
"""The panel's own page shows this one in a frame; no other site may."""

_OFFSET: Final = re.compile(r"[0-9]{1,18}")
_MAX_ANNOUNCEMENT_BYTES: Final = 10_000
_CONTENT_TYPES: Final = {"upload.html": "text/html", "upload.js": "text/javascript", "upload.css": "text/css"}


class Announcement(msgspec.Struct, frozen=True):
    """What a browser says of a file before it sends it.

    Attributes:
        name: Its name.
        size: Its size in bytes.
    """

    name: str
    size: int


async def show_file(request: Request) -> Response:
    """The page in the frame, its script or its style."""
    name = request.path_params["name"]
    if name not in _CONTENT_TYPES:
        return JSONResponse({"error": f"There is no file {name[:40]!r}."}, 404)
    return FileResponse(_STATIC / name, media_type=_CONTENT_TYPES[name], headers=_FRAME_HEADERS)


async def begin(request: Request) -> Response:
    """Begin an upload: a JSON object with `name` and `size`."""
    body = await read_body(request, _MAX_ANNOUNCEMENT_BYTES)
    try:
        asked = msgspec.json.decode(body or b"", type=Announcement)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        told = "it is too long" if body is None else str(error)
        hint = f"Send a JSON object with the name and the size of the file; {told}."
        return JSONResponse({"error": hint}, 400)
    account = account_in(request.scope)
    try:
        upload = await run_in_threadpool(uploads.begin_upload, asked.name, asked.size, account.name)
    except ClickstreamError as error:
        return _refusal(error, 413 if isinstance(error, BadInputError) else 507)
    return _described(upload, 201)


async def show(request: Request) -> Response:
    """Tell how much of an upload has arrived."""
    try:
        return _described(await run_in_threadpool(uploads.get_upload, request.path_params["upload_id"]))
    except BadInputError as error:
        return _refusal(error, 404)


async def receive(request: Request) -> Response:
    """Append to an upload from `offset` on."""
    offset = request.query_params.get("offset", "")
    if not _OFFSET.fullmatch(offset):
        message = (
            "The address must say where in the file the bytes begin: ?offset= with a whole number, "
            f"not {offset[:40]!r}."
        )
        return JSONResponse({"error": message}, 400)
    try:
        upload = await run_in_threadpool(uploads.get_upload, request.path_params["upload_id"])
    except BadInputError as error:
        return _refusal(error, 404)
    try:
        upload = await uploads.receive(upload, int(offset), request.stream())
    except WrongOffsetError:
        return _described(upload, 409)
    except (BadInputError, ClientDisconnect, OSError) as error:
        return _broken_off(error)
    if upload.is_complete:
        # While as many jobs as allowed are running, the page offers to inspect the file later.
        with suppress(ClickstreamError):
            await run_in_threadpool(begin_preview, upload, account_in(request.scope).name)
    return _described(upload)


def _broken_off(error: Exception) -> Response:
    if isinstance(error, BadInputError):
        return _refusal(error, 413)
    if isinstance(error, OSError):
        return JSONResponse({"error": f"The file can't be written: {error.strerror}."}, 507)
    return Response(status_code=499)  # Nobody reads it: the browser is gone.


async def remove(request: Request) -> Response:
    """Cancel an upload, or delete a complete one."""
    try:
        await run_in_threadpool(uploads.remove_upload, request.path_params["upload_id"])
    except BadInputError as error:
        return _refusal(error, 404)
    return Response(status_code=204)


def _described(upload: Upload, status: int = 200) -> Response:
    description = upload.description
    found = {
        "id": upload.id,
        "name": description.name,
        "size": description.size_bytes,
        "received": upload.received_bytes,
    }
    return JSONResponse(found, status, headers={"cache-control": "no-store"})


def _refusal(error: ClickstreamError, status: int) -> Response:
    return JSONResponse({"error": f"{error} {error.hint}".strip()}, status)
