"""Payloads as they are stored: no two keys may name the same path."""

from typing import Any, Final

import msgspec

_DOT: Final = b"%2E"
"""How the database writes a dot inside of a key."""

_decode: Final = msgspec.json.Decoder().decode
_encode: Final = msgspec.json.Encoder().encode


def keep_keys_apart(payload: bytes) -> bytes:
    """A payload in which a key that spells an escaped dot is escaped itself.

    The database stores the key `a.b` as `a%2Eb`; a key that is sent in this spelling would hide it.
    """
    return _encode(_escape(_decode(payload))) if _DOT in payload else payload


def _escape(value: Any) -> Any:
    if isinstance(value, dict):
        return {key.replace("%2E", "%252E"): _escape(inner) for key, inner in value.items()}
    return list(map(_escape, value)) if isinstance(value, list) else value
