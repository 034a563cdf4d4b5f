"""The HTML that a browser gets first: Streamlit's own, changed so that pages open sooner.

Written for Streamlit 1.67. It adds three things that Streamlit has no setting for:

- The address of the server, by `window.__streamlit`, which is meant for hosts that embed Streamlit. Without
  it, a page such as `/reports` first looks for the server below its own address, and waits for that to fail.
- Links that load the code of charts and tables beside the code that will ask for it.
- An outline of the page, which the browser shows until Streamlit's code runs.
"""

import re
from functools import cache
from pathlib import Path
from typing import Final

import streamlit

_FOLDER: Final = Path(streamlit.__file__).parent / "static"
_FIRST_SCRIPT: Final = '<script type="module"'
_TITLE: Final = "<title>Streamlit</title>"
_ROOT: Final = '<div id="root"></div>'

_ADDRESS: Final = "<script>window.__streamlit = {BACKEND_BASE_URL: location.origin + '/'}</script>"
_NEEDED_LATER: Final = ("EChartsChart", "DataFrame", "arrowFormatUtils", "reactJsonViewCompat")
"""Modules of Streamlit that it loads when the first chart or table is to be drawn."""

_OUTLINE: Final = """<div id="root"><style>
  :root { color-scheme: light dark; }
  body { margin: 0; background: light-dark(#ffffff, #0e1117); }
  .outline { display: flex; height: 100vh; }
  .outline div { background: light-dark(#f2f5f7, #1a1f2b); width: 300px; flex: none; }
  .outline p { font: 600 2rem "Source Sans", sans-serif; margin: 5rem 4rem; }
  .outline p { color: light-dark(#5b6470, #a9b0bc); }
  @media (max-width: 768px) { .outline div { display: none; } .outline p { margin: 5rem 1rem; } }
</style><div class="outline"><div></div><p role="status">Loading …</p></div></div>"""


class UnknownPageError(Exception):
    """Streamlit's page is not the one that this module was written for."""


@cache
def html() -> str:
    """The page.

    Raises:
        UnknownPageError: Streamlit has changed its page, so this module must be changed as well.
    """
    page = (_FOLDER / "index.html").read_text(encoding="utf-8")
    for place, addition in (
        (_TITLE, "<title>Clickstream</title>"),
        (_FIRST_SCRIPT, f"{_ADDRESS}\n    {_links()}\n    {_FIRST_SCRIPT}"),
        (_ROOT, _OUTLINE),
    ):
        if page.count(place) != 1:
            raise UnknownPageError(
                f"The page of Streamlit {streamlit.__version__} does not contain {place} exactly once. "
                "Adapt control_panel/shell.py to it."
            )
        page = page.replace(place, addition)
    return page


def inline_scripts() -> list[str]:
    """The scripts within the page, which browsers run only if the security policy names them."""
    return re.findall(r"<script>(.*?)</script>", html(), re.DOTALL)


def _links() -> str:
    files = [file for name in _NEEDED_LATER for file in (_FOLDER / "static" / "js").glob(f"{name}.*.js")]
    if len(files) != len(_NEEDED_LATER):
        raise UnknownPageError(
            f"Streamlit {streamlit.__version__} does not have each of the modules {', '.join(_NEEDED_LATER)} "
            "once. Adapt control_panel/shell.py to it."
        )
    return "\n    ".join(
        f'<link rel="modulepreload" crossorigin href="./static/js/{file.name}">' for file in files
    )
