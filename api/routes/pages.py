"""What browsers load: the tracker, the demo shop and the reference of this API."""

import gzip
import hashlib
from functools import cache
from pathlib import Path
from typing import Final, NamedTuple

import fastapi_offline
from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from api.refusals import Refusal, RefusalBody, RefusalCode

router = APIRouter(include_in_schema=False)

STATIC: Final = Path(__file__).parent.parent / "static"
_SHOP: Final = STATIC / "demo" / "index.html"
# Swagger UI as a package brings it, so that the reference needs no other site.
_SWAGGER: Final = Path(fastapi_offline.__file__).parent / "static"
_FILES: Final = {
    "demo/shop.js": STATIC / "demo" / "shop.js",
    "demo/shop.css": STATIC / "demo" / "shop.css",
    "docs/docs.js": STATIC / "docs" / "docs.js",
    "docs/swagger-ui-bundle.js": _SWAGGER / "swagger-ui-bundle.js",
    "docs/swagger-ui.css": _SWAGGER / "swagger-ui.css",
}
_TYPES: Final = {".html": "text/html", ".js": "text/javascript", ".css": "text/css"}
_CACHED: Final = "public, max-age=300"


class _Packed(NamedTuple):
    plain: bytes
    gzipped: bytes
    tag: str


@router.get("/")
async def show_start() -> RedirectResponse:
    """The reference is the front page."""
    return RedirectResponse("/docs")


@router.get("/tracker.js")
async def load_tracker(request: Request) -> Response:
    """The tracker; any site may load it."""
    response = _serve(request, STATIC / "tracker.min.js")
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    return response


@router.get("/demo")
@router.get("/demo/{page:path}")
async def show_shop(request: Request, page: str = "") -> Response:
    """The demo shop: each of its addresses is the same page, which navigates by itself."""
    return _serve(request, _FILES.get(f"demo/{page}", _SHOP))


@router.get("/docs/")
async def show_reference_by_folder() -> RedirectResponse:
    """The same with a slash at the end."""
    return RedirectResponse("/docs")


@router.get("/docs")
async def show_reference(request: Request) -> Response:
    """The reference of this API."""
    return _serve(request, STATIC / "docs" / "index.html")


@router.get("/docs/{name}")
async def load_reference_file(request: Request, name: str) -> Response:
    """A file of the reference."""
    file = _FILES.get(f"docs/{name}")
    if file is None:
        raise Refusal(RefusalBody(RefusalCode.NOT_FOUND, "There is no such file."))
    return _serve(request, file)


def _serve(request: Request, file: Path) -> Response:
    """A file, compressed if the browser takes that, and not again if it has it."""
    packed = _packed(file)
    headers = {"Cache-Control": _CACHED, "ETag": packed.tag, "Vary": "Accept-Encoding"}
    if request.headers.get("if-none-match") == packed.tag:
        return Response(status_code=304, headers=headers)
    content = packed.plain
    if "gzip" in request.headers.get("accept-encoding", ""):
        content = packed.gzipped
        headers["Content-Encoding"] = "gzip"
    return Response(content, headers=headers, media_type=_TYPES[file.suffix])


@cache
def _packed(file: Path) -> _Packed:
    plain = file.read_bytes()
    tag = hashlib.sha256(plain).hexdigest()[:16]
    return _Packed(plain, gzip.compress(plain, mtime=0), f'"{tag}"')
