"""What is derived from the values of a valid event: small steps, each of which gives what it names."""

import hashlib
import re
from functools import lru_cache
from typing import Any, Final

import msgspec

from clickstream.contract import DeviceType
from clickstream.decode import Values

_ABSENT: Final = ""
_URL_PARTS: Final = re.compile(r"(?:[^:/?#]+:)?(?://([^/?#]*))?([^?#]*)")
_HOST: Final = re.compile(r"\A.*@|:[0-9]*\Z", re.DOTALL)
"""What stands around the host in an authority: user and port."""


def hash_content(values: Values, created_at_ms: int) -> int:
    """The id of an event that was sent without one: 64 bits of BLAKE2b over its content.

    What was sent counts, not how it was written: the order of keys, a number written as text and the offset
    of the time make no difference.
    """
    content: list[Any] = [
        values.type,
        created_at_ms,
        values.session_id,
        values.ip,
        int(values.user_id),
        values.url,
        values.referrer,
        values.device_type,
        values.user_agent,
        values.payload,
    ]
    digest = hashlib.blake2b(msgspec.json.encode(content, order="sorted"), digest_size=8).digest()
    return int.from_bytes(digest, "big")


@lru_cache(maxsize=65_536)
def split_url(url: str) -> tuple[str, str]:
    """Host and path of a URL as sent, by the expression of RFC 3986, appendix B, which any text matches.

    The host is in lower case, without user and port, and empty for a path. The path is `/` where it is empty.
    """
    parts = _URL_PARTS.match(url)
    authority, path = parts.groups() if parts else (None, url)
    host = _HOST.sub("", authority or _ABSENT).lower()
    return host, path or "/"


@lru_cache(maxsize=65_536)
def derive_device_type(user_agent: str) -> str:
    """What device a browser runs on, by the words that browsers promise to send.

    “Mobi” tells a phone, by MDN's advice in “Browser detection using the user agent”; an Android browser
    without it is a tablet's. Anything else, an empty text among them, is a desktop.
    """
    text = user_agent.lower()
    is_tablet = any(word in text for word in ("ipad", "tablet", "kindle", "silk/", "playbook"))
    if is_tablet or ("android" in text and "mobi" not in text):
        return DeviceType.TABLET.value
    if any(word in text for word in ("mobi", "iphone", "ipod", "android")):
        return DeviceType.MOBILE.value
    return DeviceType.DESKTOP.value
