"""Which people the text of an event names, also where it is not a valid event.

One function decides for everything: what an erasure removes, what the ETL drops later, what an export gives.
"""

import re
from typing import Any, Final

import msgspec

from clickstream.decode import text_of
from clickstream.errors import BadInputError

MAX_USER_ID: Final = 2**64 - 1

_NUMBER: Final = re.compile(r"[+]?0*([0-9]{1,20})(?:\.0*)?")
_NUMBER_IN_TEXT: Final = re.compile(r"(?<![0-9])0*([0-9]{1,20})(?![0-9])")
_KEY: Final = re.compile(r"user[\s_-]?id[\"'\\\s]*[:=,;]*[\"'\\\s]*0*([0-9]{1,20})(?![0-9])", re.IGNORECASE)
_CELL_ENDS: Final = re.compile(r"[,;\t\r\n]")
_LEAST_DIGITS: Final = 5
"""A number in a broken text is taken for a user id from this length on, wherever it stands; shorter ones are
too often something else, and count only beside the name of the field or as a cell of their own."""


class _Named(msgspec.Struct):
    user_id: Any = None


_decode: Final = msgspec.json.Decoder(_Named).decode


def people_named_in(body: str) -> frozenset[int]:
    """The user ids that a body names.

    An event with a readable `user_id` names that person alone. In any other text, every number counts that
    stands beside the name of the field, fills a cell of a line, or is long enough to be there on purpose.
    """
    try:
        sent = _decode(body).user_id
    except (msgspec.MsgspecError, RecursionError):
        return _in_broken_text(body)
    user_id = _read(sent)
    if user_id is not None:
        return frozenset((user_id,))
    if sent is None:
        return _ids(_KEY.findall(body))
    return _ids(_NUMBER_IN_TEXT.findall(text_of(sent)))


def parse_user_id(text: str) -> int:
    """A user id as people write it.

    Raises:
        BadInputError: The text is not a user id.
    """
    digits = text.strip().lstrip("0") or "0"
    if not (digits.isascii() and digits.isdigit() and len(digits) <= len(str(MAX_USER_ID))):
        raise BadInputError(
            f"{text[:100]!r} is not a user id.", hint=f"User ids are whole numbers up to {MAX_USER_ID}."
        )
    if int(digits) > MAX_USER_ID:
        raise BadInputError(f"{digits} is too large for a user id.", hint=f"The largest is {MAX_USER_ID}.")
    return int(digits)


def pattern_of(user_id: int) -> str:
    """A regular expression that matches every text which names this person, and some others."""
    return rf"(^|[^0-9])0*{user_id}([^0-9]|$)"


def _read(sent: Any) -> int | None:
    """The user id of a field that has exactly one; booleans are not user ids."""
    if type(sent) is int and 0 <= sent <= MAX_USER_ID:
        return sent
    if type(sent) is float and sent.is_integer() and 0 <= sent <= MAX_USER_ID:
        return int(sent)
    if type(sent) is str and (number := _NUMBER.fullmatch(sent.strip())):
        return int(number.group(1)) if int(number.group(1)) <= MAX_USER_ID else None
    return None


def _in_broken_text(text: str) -> frozenset[int]:
    cells = (cell.strip(" \"'") for cell in _CELL_ENDS.split(text))
    numbers = [match.group(1) for match in map(_NUMBER.fullmatch, cells) if match]
    numbers += _KEY.findall(text)
    numbers += [number for number in _NUMBER_IN_TEXT.findall(text) if len(number) >= _LEAST_DIGITS]
    return _ids(numbers)


def _ids(numbers: list[str]) -> frozenset[int]:
    return frozenset(user_id for user_id in map(int, numbers) if user_id <= MAX_USER_ID)
