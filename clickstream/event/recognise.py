"""What a text that is not an event, or not even JSON, seems to be, and what to do about it."""

import base64
import binascii
import json
import re
from collections.abc import Mapping
from typing import Any, Final

import msgspec

_BYTE: Final = r"(?:[\x00-\x7f]|\\x[0-9a-f]{2})"
_LOOKS: Final = tuple(
    (re.compile(pattern), words)
    for pattern, words in (
        (
            r"\A\x1f\\x8b",
            "It is compressed with gzip: over HTTP send the header `Content-Encoding: gzip`; to the broker "
            "let the producer compress (`compression.type`) instead of the application.",
        ),
        (
            r"\A\(\\xb5/\\xfd",
            "It is compressed with zstd: over HTTP send the header `Content-Encoding: zstd`; to the broker "
            "let the producer compress (`compression.type`) instead of the application.",
        ),
        (
            r"\Ax(?:\\x9c|\x01|\\xda|\^)",
            "It is compressed with deflate (zlib): send it plain, or as gzip or zstd.",
        ),
        (
            r'\A(?:BZh|\\xfd7zXZ|\x04"M\x18|\\xff\x06\x00\x00sNaPpY)',
            "It is compressed with bzip2, xz, LZ4 or Snappy: send it plain, or as gzip or zstd.",
        ),
        (r"\APK\x03\x04", "It is a ZIP archive: unpack it first."),
        (r"\A(?:\\xff\\xfe\x00\x00|\x00\x00\\xfe\\xff)", "It is text in UTF-32: send it in UTF-8."),
        (
            r"\A(?:\\xff\\xfe|\\xfe\\xff)|\A[^\x00]?\x00[^\x00]\x00|\A[^\x00]\x00",
            "It is text in UTF-16: send it in UTF-8.",
        ),
        (
            rf"\A\x00{_BYTE}{{4}}\s*[\[{{]",
            "It starts with the five bytes of a schema registry, a zero and the number of a schema: let the "
            "producer send plain JSON, with a serializer that uses no registry (in Java StringSerializer).",
        ),
        (
            r"\A(?:\x00|Obj\x01|\\x[89ad][0-9a-f](?:\\x[a-b][0-9a-f]|[a-z])[a-z_]{2})",
            "It is binary (Avro, Protobuf, MessagePack or the like): send JSON.",
        ),
        (
            r"\A\s*(?:b['\"]|\[?\s*\{\s*')",
            "It is a Python object as print shows it: send what json.dumps makes.",
        ),
        (
            r"\A\s*(?:\[?object \w+\]?\Z|undefined)",
            "It is a JavaScript object turned into text: send what JSON.stringify makes.",
        ),
        (
            r"\A\s*\[?\s*\{?\s*[“”„«‘’]",
            "Its quotes are typographic ones, as word processors write them: write straight double quotes.",
        ),
        (r"\A\s*--\S+\s+Content-", "It is a multipart form: send JSON as the whole body."),
        (r"(?i)\A\s*%(?:5B|7B|22)", "It is percent-encoded: send the JSON itself."),
        (r"\A\s*<", "It is HTML or XML: send JSON."),
        (r"\A\s*(?:data:\s*)?[A-Za-z_]+=[^{}\[\]]*\Z", "It is a form (a=1&b=2): send JSON."),
    )
)
_ENVELOPES: Final = frozenset(
    {"batch", "events", "data", "records", "items", "messages", "event", "message", "body"}
)
_OWN_FIELDS: Final = frozenset({"type", "created_at", "session_id", "user_id", "url"})
_BASE64: Final = re.compile(r"\s*[A-Za-z0-9+/_-]{16,}={0,2}\s*")
_MAX_ENVELOPES: Final = 3
_BETWEEN_VALUES: Final = re.compile(r"[\s,\x1e]*")
_WORDS: Final = re.compile(r"\w+")
_ESCAPED_BYTES: Final = re.compile(r"(?:\\x[89a-f][0-9a-f])+")
_CYRILLIC: Final = {"cp1251": "windows-1251", "koi8-r": "KOI8-R"}
_CYRILLIC_SHARE: Final = 0.8


def recognise_text(text: str) -> str:
    r"""What a text that is not JSON seems to be, and the remedy; empty if nothing is known.

    Args:
        text: The text, bytes that are not UTF-8 as `\xNN`.
    """
    if not text.strip(" \t\r\n"):
        return "It is empty."
    for pattern, words in _LOOKS:
        if pattern.search(text):
            return words
    lines = [line for line in text.splitlines() if line.strip()]
    if len(lines) > 1 and all(line.lstrip().startswith("{") and _is_json(line) for line in lines[:3]):
        return (
            "It is NDJSON, one JSON object a line: send a JSON array, with commas between the objects and "
            "brackets around them."
        )
    first = lines[0] if lines else ""
    if len(_OWN_FIELDS.intersection(_WORDS.findall(first.lower()))) > 2 and "{" not in first:
        return "It is CSV: send JSON, or save it as a file and load that (`clickstream load FILE`)."
    if _is_base64(text):
        return "It is encoded as Base64: send the JSON itself."
    return _recognise_several(text)


def _is_base64(text: str) -> bool:
    """Whether a text is JSON or gzip in Base64."""
    if not _BASE64.fullmatch(text):
        return False
    try:
        start = base64.b64decode(text.strip()[:16], altchars=b"-_" if set(text) & set("-_") else None)
    except (binascii.Error, ValueError):
        return False
    return start.lstrip().startswith((b"{", b"[", b"\x1f\x8b"))


def _recognise_several(text: str) -> str:
    """Says that a text is several objects or arrays, one after the other."""
    start = text.lstrip("\x1e \t\r\n")
    if not start.startswith(("{", "[")):
        return ""
    try:
        _, end = json.JSONDecoder().raw_decode(start)
    except (ValueError, RecursionError):
        return ""
    between = _BETWEEN_VALUES.match(start, end)
    rest = start[between.end() :] if between else ""
    if not rest.startswith(("{", "[")):
        return ""
    return "It is several JSON values, one after the other: send one JSON array of all events."


def recognise_encoding(text: str) -> str:
    r"""Which encoding the bytes of a text seem to have that are not UTF-8; empty if none is known.

    Args:
        text: The text, those bytes as `\xNN`.
    """
    runs = [bytes.fromhex(run.replace("\\x", "")) for run in _ESCAPED_BYTES.findall(text)]
    odd = b"".join(runs)
    if not odd:
        return ""
    # In Cyrillic whole words are such bytes; in Western languages single letters are.
    if len(odd) >= 2 * len(runs):
        shares = {name: _cyrillic_share(odd, name) for name in _CYRILLIC}
        likeliest = max(shares, key=lambda name: shares[name])
        is_cyrillic = shares[likeliest] >= _CYRILLIC_SHARE
        return f"It seems to be in {_CYRILLIC[likeliest]} (Cyrillic)." if is_cyrillic else ""
    if odd.decode("cp1252", errors="replace").isalpha():
        return "It seems to be in windows-1252 or ISO 8859-1 (Western European)."
    return ""


def _cyrillic_share(odd: bytes, encoding: str) -> float:
    """How much of some bytes are Cyrillic letters in an encoding; capitals are rare and count half."""
    letters = odd.decode(encoding, errors="replace")
    small = sum("а" <= letter <= "я" or letter == "ё" for letter in letters)
    capital = sum("А" <= letter <= "Я" or letter == "Ё" for letter in letters)
    return (small + capital / 2) / len(letters)


def recognise_value(value: Any) -> str:
    """What a JSON value seems to be that is not an event, and the remedy; empty if nothing is known."""
    if isinstance(value, str):
        return _recognise_json_text(value)
    if isinstance(value, list):
        is_nested = bool(value) and isinstance(value[0], dict)
        return "It is an array inside an array: send one array of all events." if is_nested else ""
    return _recognise_envelope(value) if isinstance(value, dict) else ""


def _recognise_json_text(text: str) -> str:
    if text.lstrip().startswith(("{", "[", '"')) and _is_json(text):
        return "It is a text that holds JSON, so it was encoded twice: send the JSON itself."
    return "It is a text that holds Base64: send the JSON itself." if _is_base64(text) else ""


def _recognise_envelope(value: Mapping[str, Any]) -> str:
    path, what = _find_events(value, _MAX_ENVELOPES)
    return f"It is an envelope: the events are in {path!r}; {what}." if path else ""


def _find_events(value: Mapping[str, Any], levels: int) -> tuple[str, str]:
    """Where in an object that is not an event the events are, and what to send; empty texts if nowhere."""
    if levels == 0 or not _OWN_FIELDS.isdisjoint(value):
        return "", ""
    for key, inner in value.items():
        name = key[:50]
        if isinstance(inner, list) and inner and all(isinstance(item, dict) for item in inner):
            if key.lower() in _ENVELOPES or not _OWN_FIELDS.isdisjoint(inner[0]):
                return name, "send the array itself, without the object around it"
        elif isinstance(inner, dict):
            if len(_OWN_FIELDS & inner.keys()) > 1:
                return name, "send the inner object itself"
            path, what = _find_events(inner, levels - 1)
            if path:
                return f"{name}.{path}", what
        elif isinstance(inner, str) and key.lower() in _ENVELOPES and _recognise_json_text(inner):
            return name, "send the JSON itself, not as text"
    return "", ""


def _is_json(text: str) -> bool:
    try:
        msgspec.json.decode(text)
    except (ValueError, RecursionError):
        return False
    return True
