"""What a text that is not an event, or not even JSON, seems to be, and what to do about it."""

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
        (r"\APK\x03\x04", "It is a ZIP archive: unpack it first."),
        (
            r"\A(?:\\xff\\xfe|\\xfe\\xff)|\A[^\x00]?\x00[^\x00]\x00|\A[^\x00]\x00",
            "It is text in UTF-16: send it in UTF-8.",
        ),
        (
            rf"\A\x00{_BYTE}{{4}}\s*[\[{{]",
            "It starts with the five bytes of a schema registry, a zero and the number of a schema: let the "
            "producer send plain JSON, with a serializer that uses no registry (in Java StringSerializer).",
        ),
        (r"\A\x00", "It is binary (Avro, Protobuf or the like): send JSON."),
        (r"\A\s*\[?\s*\{\s*'", "It is a Python object as print shows it: send what json.dumps makes."),
        (r"\A\s*<", "It is HTML or XML: send JSON."),
        (r"\A\s*(?:data:\s*)?[A-Za-z_]+=[^{}\[\]]*\Z", "It is a form (a=1&b=2): send JSON."),
    )
)
_ENVELOPES: Final = frozenset(
    {"batch", "events", "data", "records", "items", "messages", "event", "message", "body"}
)
_OWN_FIELDS: Final = frozenset({"type", "created_at", "session_id", "user_id", "url"})
_ESCAPED_BYTES: Final = re.compile(r"(?:\\x[89a-f][0-9a-f])+")
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
    return ""


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
        letters = odd.decode("cp1251", errors="replace").lower()
        cyrillic = sum("а" <= letter <= "я" or letter == "ё" for letter in letters)
        is_cyrillic = cyrillic >= _CYRILLIC_SHARE * len(letters)
        return "It seems to be in windows-1251 (Cyrillic)." if is_cyrillic else ""
    if odd.decode("cp1252", errors="replace").isalpha():
        return "It seems to be in windows-1252 or ISO 8859-1 (Western European)."
    return ""


def recognise_value(value: Any) -> str:
    """What a JSON value seems to be that is not an event, and the remedy; empty if nothing is known."""
    if isinstance(value, str):
        if value.lstrip().startswith(("{", "[")) and _is_json(value):
            return "It is a text that holds JSON, so it was encoded twice: send the JSON itself."
        return ""
    return _recognise_envelope(value) if isinstance(value, dict) else ""


def _recognise_envelope(value: Mapping[str, Any]) -> str:
    if not _OWN_FIELDS.isdisjoint(value):
        return ""
    for key, inner in value.items():
        if isinstance(inner, list) and inner and all(isinstance(item, dict) for item in inner):
            is_envelope = key.lower() in _ENVELOPES or not _OWN_FIELDS.isdisjoint(inner[0])
            what = "send the array itself, without the object around it"
        else:
            is_envelope = isinstance(inner, dict) and len(_OWN_FIELDS & inner.keys()) > 1
            what = "send the inner object itself"
        if is_envelope:
            return f"It is an envelope: the events are in {key[:50]!r}; {what}."
    return ""


def _is_json(text: str) -> bool:
    try:
        msgspec.json.decode(text)
    except (ValueError, RecursionError):
        return False
    return True
