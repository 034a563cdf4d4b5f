"""What is derived from the values of a valid event: small steps, each named after its result."""

import hashlib
from typing import Any

import msgspec

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
