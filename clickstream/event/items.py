"""The events of an array, one by one, also where one of them cannot be read."""

import re
from collections.abc import Iterable
from typing import Final

import msgspec

BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"
_MARKS: Final = re.compile(b"(?:%b)*" % BYTE_ORDER_MARK)
_WHITE: Final = b" \t\r\n"
_TOKENS: Final = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"?|[\[\]{},]', re.DOTALL)
_PAIRS: Final = {b"[": b"]", b"{": b"}"}
_array_decoder: Final = msgspec.json.Decoder(list[msgspec.Raw])
_value_decoder: Final = msgspec.json.Decoder(msgspec.Raw)


def is_array(value: bytes) -> bool:
    """Whether a text is a JSON array, if it is JSON."""
    return value.lstrip(_WHITE).startswith(b"[")


def without_marks(value: bytes) -> bytes:
    """Bytes without the byte order marks at their beginning, however many there are."""
    marks = _MARKS.match(value)
    return value[marks.end() :] if marks and marks.end() else value


def split_array(value: bytes) -> list[bytes] | None:
    """The texts of an array's items, exactly as sent; the array must not be nested too deep to be read.

    Where a strict decoder refuses the array because of some items (`NaN`, half of a surrogate pair, bytes
    that are not UTF-8), its brackets, texts and commas still tell the items apart.

    Returns:
        The items, of which some may not be JSON (`holds_json`); None where they cannot be told apart.
    """
    try:
        if is_utf8(value):
            return list(map(bytes, _array_decoder.decode(value)))
    except (msgspec.DecodeError, RecursionError):
        pass
    return _split_by_brackets(value)


def holds_json(items: Iterable[bytes]) -> bool:
    """Whether one of the items can be read, so that the text around it was meant as JSON."""
    return any(map(_is_json, items))


def is_utf8(value: bytes) -> bool:
    """Whether some bytes are text in UTF-8."""
    try:
        value.decode()
    except UnicodeDecodeError:
        return False
    return True


def _is_json(item: bytes) -> bool:
    try:
        _value_decoder.decode(item)
    except (msgspec.DecodeError, RecursionError):
        return False
    return is_utf8(item)


def _split_by_brackets(value: bytes) -> list[bytes] | None:
    """The items of an array whose brackets match; None where a comma or a bracket seems to be missing."""
    items: list[bytes] = []
    open_brackets: list[bytes] = []
    start = containers = 0
    for match in _TOKENS.finditer(value):
        token = match[0]
        if token in _PAIRS:
            if not open_brackets and value[: match.start()].strip(_WHITE):
                return None
            containers += len(open_brackets) == 1
            open_brackets.append(token)
            start = start if len(open_brackets) > 1 else match.end()
        elif token in (b"]", b"}"):
            if not open_brackets or _PAIRS[open_brackets.pop()] != token:
                return None
            if not open_brackets:
                return _with_last(items, value[start : match.start()], value[match.end() :], containers)
        elif token == b"," and len(open_brackets) == 1:
            item = value[start : match.start()].strip(_WHITE)
            if not item or containers > 1:
                return None
            items.append(item)
            start, containers = match.end(), 0
    return None


def _with_last(items: list[bytes], last: bytes, rest: bytes, containers: int) -> list[bytes] | None:
    if not last.strip(_WHITE) or rest.strip(_WHITE) or containers > 1:
        return None
    return [*items, last.strip(_WHITE)]
