"""What browsers load: the tracker, the demo shop and the reference of this API."""

from pathlib import Path
from typing import Final

import fastapi_offline
from fastapi import APIRouter
from fastapi.responses import FileResponse, RedirectResponse

from api.refusals import Refusal, RefusalBody, RefusalCode

router = APIRouter(include_in_schema=False)

STATIC: Final = Path(__file__).parent.parent / "static"
_DEMO: Final = STATIC / "demo"
_DOCS: Final = STATIC / "docs"
# Swagger UI as a package brings it, so that the reference needs no other site.
_SWAGGER: Final = Path(fastapi_offline.__file__).parent / "static"
_FILES: Final = {
    "demo/shop.js": _DEMO / "shop.js",
    "demo/shop.css": _DEMO / "shop.css",
    "docs/docs.js": _DOCS / "docs.js",
    "docs/swagger-ui-bundle.js": _SWAGGER / "swagger-ui-bundle.js",
    "docs/swagger-ui.css": _SWAGGER / "swagger-ui.css",
}
_SHORT: Final = {"Cache-Control": "public, max-age=300"}


@router.get("/")
async def show_start() -> RedirectResponse:
    """The reference is the front page."""
    return RedirectResponse("/docs")


@router.get("/tracker.js")
async def load_tracker() -> FileResponse:
    """The tracker; any site may load it."""
    return FileResponse(
        STATIC / "tracker.js",
        media_type="text/javascript",
        headers={**_SHORT, "Cross-Origin-Resource-Policy": "cross-origin"},
    )


@router.get("/docs")
async def show_reference() -> FileResponse:
    """The reference of this API."""
    return FileResponse(_DOCS / "index.html")


@router.get("/demo")
@router.get("/demo/{page:path}")
async def show_shop(page: str = "") -> FileResponse:
    """The demo shop: each of its addresses is the same page, which navigates by itself."""
    return _file(f"demo/{page}") or FileResponse(_DEMO / "index.html")


@router.get("/docs/{name}")
async def load_reference_file(name: str) -> FileResponse:
    """A file of the reference."""
    file = _file(f"docs/{name}")
    if file is None:
        raise Refusal(RefusalBody(RefusalCode.NOT_FOUND, "There is no such file."))
    return file


def _file(path: str) -> FileResponse | None:
    file = _FILES.get(path)
    return FileResponse(file, headers=_SHORT) if file else None
