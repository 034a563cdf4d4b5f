"""What is derived from the values of a valid event: small steps, each of which gives what it names."""

import hashlib
from functools import lru_cache
from typing import Any

import msgspec

from clickstream.contract import DeviceType
from clickstream.decode import Values


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
