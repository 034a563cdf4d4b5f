"""Says where a text is not JSON and what was expected there, for people who pasted it.

Slips that people make, a comma that is missing or one too many, are mended in passing, so that all of them
can be told at once. Only texts that were refused come here; it need not be fast.
"""

import json
import re
from typing import Final, NamedTuple

import msgspec

MAX_PROBLEMS: Final = 10
# Each problem is a reading from the beginning, so of a long text only the first one is told, and of a very
# long one only what the decoder says.
_LONG_TEXT: Final = 200_000
_VERY_LONG_TEXT: Final = 1_000_000
_LOOKED_BACK: Final = 2_000
_SHOWN: Final = 40
_TOKEN: Final = re.compile(r'"(?:[^"\\\n]|\\.)*"?|[-+.\w]+|\S')
_WHITE: Final = " \t\r\n"


class SyntaxProblem(msgspec.Struct, frozen=True):
    """One place where a text is not JSON.

    Attributes:
        line: Line, from 1.
        column: Character in the line, from 1.
        expected: What was expected there, in words.
        found: What is there, in words.
        message: All of it in one sentence.
    """

    line: int
    column: int
    expected: str
    found: str
    message: str


class _ConstantError(ValueError):
    """`NaN` or `Infinity`, which Python reads and JSON does not have."""


class _Mend(NamedTuple):
    """How to go on reading behind a problem: replace what is between two places."""

    start: int
    end: int
    text: str


class _Found(NamedTuple):
    place: int
    expected: str
    found: str
    mend: _Mend | None


def find_syntax_problems(text: str) -> tuple[SyntaxProblem, ...]:
    """The places at which a text is not JSON, if they can be told."""
    if len(text) > _VERY_LONG_TEXT:
        return ()
    problems: list[SyntaxProblem] = []
    # Mending moves what comes after it: by how much, from which place of the mended text on.
    shifts: list[tuple[int, int]] = []
    mended = text
    most = MAX_PROBLEMS if len(text) < _LONG_TEXT else 1
    while len(problems) < most and (found := _first_problem(mended)) is not None:
        place = found.place - sum(shift for start, shift in shifts if start < found.place)
        problems.append(_told(text, place, found))
        if found.mend is None:
            break
        start, end, patch = found.mend
        mended = mended[:start] + patch + mended[end:]
        shifts.append((start, len(patch) - (end - start)))
    return tuple(problems)


def line_and_column(text: str, place: int) -> tuple[int, int]:
    """Line and column of a character, both from 1."""
    return text.count("\n", 0, place) + 1, place - text.rfind("\n", 0, place)


_DECODER_PLACE: Final = re.compile(r"\(byte (\d+)\)\Z")
_SURROGATE: Final = re.compile(
    r"\\u(?:[dD][89abAB][0-9a-fA-F]{2}(?!\\u[dD][c-fC-F])|[dD][c-fC-F][0-9a-fA-F]{2})"
)


def explain_syntax(text: str, decoder_message: str) -> tuple[SyntaxProblem, ...]:
    """The places at which a text is not JSON, at least one.

    Args:
        text: A text that msgspec refused.
        decoder_message: What msgspec said.
    """
    problems = find_syntax_problems(text)
    if problems:
        return problems
    # Something that Python takes for JSON, such as half of a surrogate pair.
    half = _SURROGATE.search(text.replace("\\\\", "__"))
    if half:
        expected, found = "a whole character", f"half of a surrogate pair, {half[0]}"
        return (_told(text, half.start(), _Found(half.start(), expected, found, None)),)
    match = _DECODER_PLACE.search(decoder_message)
    place = len(text.encode()[: int(match[1])].decode(errors="ignore")) if match else len(text)
    reason = decoder_message.removeprefix("JSON is malformed: ")
    return (_told(text, place, _Found(place, "valid JSON", reason, None)),)


def _told(text: str, place: int, found: _Found) -> SyntaxProblem:
    line, column = line_and_column(text, place)
    return SyntaxProblem(
        line=line,
        column=column,
        expected=found.expected,
        found=found.found,
        message=f"Line {line}, column {column}: expected {found.expected}, found {found.found}.",
    )


def _first_problem(text: str) -> _Found | None:
    try:
        json.loads(text, parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        return _in_words(text, error.msg, error.pos)
    except _ConstantError as error:
        name = str(error)
        place = _outside_strings(text, name)
        return _Found(place, "a number, or null", _cut(name), _Mend(place, place + len(name), "null"))
    except (RecursionError, ValueError):
        return None
    return None


def _refuse_constant(name: str) -> None:
    raise _ConstantError(name)


def _outside_strings(text: str, word: str) -> int:
    return next((match.start() for match in _TOKEN.finditer(text) if match[0] == word), 0)


def _in_words(text: str, message: str, place: int) -> _Found:
    """What the standard library's message means at this place."""
    found = _shown(text, place)
    before = len(text[:place].rstrip(_WHITE))
    follows, last = text[place : place + 1], text[before - 1 : before]
    if last == "," and follows in ("]", "}"):
        mend = _Mend(before - 1, before, "")
        return _Found(before - 1, f"no comma before “{follows}”", "a comma after the last value", mend)
    if message.startswith("Expecting ',' delimiter"):
        return _after_value(text, place, before, found)
    if message.startswith("Expecting ':' delimiter"):
        return _Found(place, "a colon after the name", found, _Mend(place, place, ":"))
    return _Found(place, _expected(message, before, last), _found_there(message, follows) or found, None)


def _expected(message: str, before: int, last: str) -> str:
    """What the standard library's message asks for."""
    whole = "a JSON array of events, or one event as an object" if before == 0 else "a value"
    expected = {
        "Expecting property name": "a name in double quotes" + (" or “}”" if last == "{" else ""),
        "Expecting value": whole,
        "Extra data": "the end of the body",
        "Unterminated string": "a double quote that ends this text",
        "Invalid control character": "\\n, \\t or \\uXXXX inside of a text",
        "Invalid \\": 'one of \\" \\\\ \\/ \\b \\f \\n \\r \\t \\uXXXX',
    }
    return next((words for start, words in expected.items() if message.startswith(start)), "JSON")


def _found_there(message: str, follows: str) -> str:
    """What is there where a token can't show it."""
    if message.startswith("Unterminated string"):
        return "the end of the body"
    if message.startswith("Invalid control character"):
        return "a line break" if follows in "\r\n" else "a control character"
    return ""


def _after_value(text: str, place: int, before: int, found: str) -> _Found:
    """Between two values: the comma is missing, if another value follows."""
    follows = text[place : place + 1]
    wanted = "a comma or a closing bracket" if follows else "a closing bracket"
    if follows and (follows in '"{[-' or follows.isalnum()):
        after = _TOKEN.findall(text[max(0, before - _LOOKED_BACK, text.rfind("\n", 0, before)) : before])
        behind = f" after {_cut(after[-1])}" if after else ""
        if after and after[-1] in ("0", "-0") and follows.isdigit():
            number = _TOKEN.match(text, before - 1)
            found = _cut(number[0]) if number else found
            return _Found(before - 1, "a number without leading zeros", found, None)
        return _Found(place, f"a comma{behind}", found, _Mend(before, before, ","))
    return _Found(place, wanted, found, None)


def _shown(text: str, place: int) -> str:
    token = _TOKEN.match(text, place)
    return _cut(token[0]) if token else "the end of the body"


def _cut(token: str) -> str:
    short = token if len(token) <= _SHOWN else token[: _SHOWN - 1] + "…"
    return short if short.startswith('"') else f"“{short}”"
