"""The making of a clean event: a visible list of small steps, each of which fills in what it names."""

import hashlib
import re
from functools import lru_cache
from typing import Any, Final

import msgspec

from clickstream.contract import DeviceType
from clickstream.decode import Values, parse_timestamp

_ABSENT: Final = ""
_URL_PARTS: Final = re.compile(r"(?:[^:/?#]+:)?(?://([^/?#]*))?([^?#]*)")
_HOST: Final = re.compile(r"\A.*@|:[0-9]*\Z", re.DOTALL)
"""What stands around the host in an authority: user and port."""


class Event(msgspec.Struct):
    """A valid event with everything that is derived from it; the columns of the table `events`.

    Attributes:
        created_at_ms: Milliseconds since 1970.
        x: Pixels from the left edge of the page; None for a view without a position.
        y: Pixels from the top edge of the page; None for a view without a position.
        payload: The whole payload as JSON text.
    """

    id: int
    type: str
    created_at_ms: int
    session_id: str
    ip: str
    user_id: int
    url: str
    url_host: str
    url_path: str
    referrer: str
    device_type: str
    user_agent: str
    event_title: str
    element_id: str
    x: int | None
    y: int | None
    payload: str


def make_event(values: Values) -> Event:
    """Makes the event of values in which `decode.find_errors` found nothing."""
    created_at_ms = parse_timestamp(values.created_at)
    url_host, url_path = split_url(values.url)
    user_agent = values.user_agent or _ABSENT
    return Event(
        id=int(values.id) if values.id is not None else hash_content(values, created_at_ms),
        type=values.type,
        created_at_ms=created_at_ms,
        session_id=values.session_id,
        ip=values.ip or _ABSENT,
        user_id=int(values.user_id),
        url=values.url,
        url_host=url_host,
        url_path=url_path,
        referrer=values.referrer or _ABSENT,
        device_type=values.device_type or derive_device_type(user_agent),
        user_agent=user_agent,
        event_title=values.event_title,
        element_id=values.element_id,
        x=values.x,
        y=values.y,
        payload=msgspec.json.encode(values.payload).decode(),
    )


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
