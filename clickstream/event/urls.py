"""Host and path of a page's address."""

import re
from functools import lru_cache
from typing import Final

_URL_PARTS: Final = re.compile(r"(?:[^:/?#]+:)?(?://([^/?#]*))?([^?#]*)")
_AROUND_HOST: Final = re.compile(r"\A.*@|:[0-9]*\Z", re.DOTALL)
"""What stands around the host in an authority: user and port."""

_ESCAPES: Final = re.compile(r"(?:%[0-9A-Fa-f]{2})+")


@lru_cache(maxsize=65_536)
def split_url(url: str) -> tuple[str, str]:
    """Host and path of a URL as sent, by the expression of RFC 3986, appendix B, which any text matches.

    The host is in lower case, without user and port, and empty for a path. The path is `/` where it is empty,
    and in the spelling of `readable_path`.
    """
    parts = _URL_PARTS.match(url)
    authority, path = parts.groups() if parts else (None, url)
    host = _AROUND_HOST.sub("", authority or "").lower()
    return host, readable_path(path) or "/"


def readable_path(path: str) -> str:
    """A path in which percent-escapes are letters wherever they spell UTF-8 outside ASCII.

    Browsers escape such letters and people write them, so both name one page. All other escapes are kept,
    with upper-case digits: `%2F` is not a slash.
    """
    return _ESCAPES.sub(_read_escapes, path) if "%" in path else path


def _read_escapes(escapes: re.Match[str]) -> str:
    text = bytes.fromhex(escapes[0].replace("%", "")).decode(errors="surrogateescape")
    return "".join(map(_read_letter, text))


def _read_letter(letter: str) -> str:
    code = ord(letter)
    if code < 0x80:
        return f"%{code:02X}"
    # What was not UTF-8 is a surrogate of its byte.
    return f"%{code - 0xDC00:02X}" if 0xDC80 <= code <= 0xDCFF else letter
