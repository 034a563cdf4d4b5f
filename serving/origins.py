"""Whether a request that a browser sends comes from the service's own pages.

Cookies do not tell, since browsers take pages on other ports of this machine for the same site.
"""

from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

_OWN: Final = frozenset({"none", "same-origin"})
"""Values of `Sec-Fetch-Site` for an address that a person has typed, and for the service's own pages."""


def comes_from_own_pages(headers: Mapping[str, str], *, is_page: bool) -> bool:
    """Whether no browser says that another site's page sends this; programs say nothing, which is no risk.

    Args:
        headers: Of the request, by their names in lower case.
        is_page: Whether it only opens a page, so that a link on another site may lead to it.
    """
    origin = headers.get("origin")
    if origin is not None and netloc(origin) != headers.get("host", "").lower():
        return False
    if headers.get("sec-fetch-site", "none") in _OWN:
        return True
    return is_page and headers.get("sec-fetch-mode") == "navigate"


def netloc(origin: str) -> str:
    """Host and port of an origin in lower case; empty if it is not a URL."""
    try:
        return urlsplit(origin).netloc.lower()
    except ValueError:
        return ""
