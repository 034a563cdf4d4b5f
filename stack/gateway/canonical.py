"""What a statement says, in the words of the engine's own parser.

`formatQuerySingleLine` parses a text as the engine would to run it, and gives one canonical line: comments
are gone, white space is plain, names and strings are spelled one way, and every part of the statement is
shown. It runs nothing, and it refuses several statements and whatever does not parse. What this module says
of a statement is read from that line, never from the client's text.
"""

import re
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from stack.gateway.errors import Code, StatementError

_REMEMBERED_STATEMENTS: Final = 2_000
# Longer texts are not worth remembering: they hold values, and so hardly come again.
_REMEMBERED_BYTES: Final = 32_768

# The canonical line has no comments and no heredocs, escapes with backslashes alone, and puts names that are
# not plain words into backquotes.
_TOKEN: Final = re.compile(
    r"""
      (?P<space>     \s+ )
    | (?P<text>      '(?: [^'\\] | \\. )*' )
    | (?P<quoted>    `(?: [^`\\] | \\. )*` | "(?: [^"\\] | \\. )*" )
    | (?P<parameter> \{ [A-Za-z_]\w* : [^{}']* \} )
    | (?P<word>      [A-Za-z_][\w$]* )
    | (?P<number>    [0-9][\w.]* )
    | (?P<sign>      . )
    """,
    re.VERBOSE | re.DOTALL,
)
_ESCAPE: Final = re.compile(r"\\(x[0-9A-Fa-f]{2}|.)", re.DOTALL)


class Token(NamedTuple):
    """A piece of the canonical line; `text` is without quotes and escapes."""

    kind: str
    text: str

    @property
    def is_name(self) -> bool:
        """Whether it may be the name of something; keywords look like names, too."""
        return self.kind in ("word", "quoted")

    def is_keyword(self, *words: str) -> bool:
        """Whether it is one of these keywords, which the canonical line has in upper case."""
        return self.kind == "word" and self.text in words


@dataclass(frozen=True)
class Statement:
    """What a single statement says.

    Attributes:
        tokens: The canonical line.
        kind: Its first keyword: `SELECT` also for a query that begins with `WITH`.
        format: The output or input format that it names; empty if none.
        names: All names in lower case that stand alone or begin a compound one, and all that are called.
        calls: The names in lower case that a bracket follows.
        settings: The settings that it sets anywhere.
        parameters: The `{name:Type}` placeholders, names with types.
        texts: The string literals.
    """

    tokens: tuple[Token, ...]
    kind: str
    format: str
    names: frozenset[str]
    calls: frozenset[str]
    settings: frozenset[str]
    parameters: tuple[tuple[str, str], ...]
    texts: tuple[str, ...]

    def has(self, *words: str) -> bool:
        """Whether these keywords follow each other somewhere."""
        return any(
            all(self.tokens[at + place].is_keyword(word) for place, word in enumerate(words))
            for at in range(len(self.tokens) - len(words) + 1)
        )

    def begins_with(self, *words: str) -> bool:
        """Whether these keywords are the first ones."""
        return len(self.tokens) >= len(words) and all(
            token.is_keyword(word) for token, word in zip(self.tokens, words, strict=False)
        )


class StatementReader:
    """Reads statements; remembers those that come again and again.

    Args:
        canonical: Gives the canonical line of a text, or raises `StatementError`.
    """

    def __init__(self, canonical: Callable[[bytes], str]) -> None:
        self._canonical = canonical
        self._known: OrderedDict[bytes, Statement] = OrderedDict()
        self._lock = threading.Lock()

    def known(self, text: bytes) -> Statement | None:
        """What a text says if it was read before."""
        with self._lock:
            statement = self._known.get(text)
            if statement is not None:
                self._known.move_to_end(text)
            return statement

    def read(self, text: bytes) -> Statement:
        """What a text says.

        Raises:
            StatementError: It is not exactly one statement (code 62).
        """
        statement = self.known(text)
        if statement is not None:
            return statement
        if b"\0" in text:
            raise StatementError(Code.SYNTAX_ERROR, "Syntax error: a statement can't hold a NUL byte")
        statement = describe(self._canonical(text))
        if len(text) <= _REMEMBERED_BYTES:
            with self._lock:
                self._known[text] = statement
                while len(self._known) > _REMEMBERED_STATEMENTS:
                    self._known.popitem(last=False)
        return statement


def describe(line: str) -> Statement:
    """What a canonical line says."""
    tokens = tuple(_tokens(line))
    following = (*tokens[1:], Token("end", ""))
    preceding = (Token("start", ""), *tokens[:-1])
    names = {
        token.text.lower()
        for token, before, after in zip(tokens, preceding, following, strict=True)
        if token.is_name and (before.text != "." or after.text == "(")
    }
    return Statement(
        tokens=tokens,
        kind=_kind(tokens),
        format=_format(tokens),
        names=frozenset(names),
        calls=frozenset(
            token.text.lower()
            for token, after in zip(tokens, following, strict=True)
            if token.is_name and after == ("sign", "(")
        ),
        settings=frozenset(_settings(tokens)),
        parameters=tuple(_parameter(token.text) for token in tokens if token.kind == "parameter"),
        texts=tuple(token.text for token in tokens if token.kind == "text"),
    )


def _tokens(line: str) -> Sequence[Token]:
    return [
        Token(
            str(match.lastgroup), _unquoted(match[0]) if match.lastgroup in ("text", "quoted") else match[0]
        )
        for match in _TOKEN.finditer(line)
        if match.lastgroup != "space"
    ]


def _unquoted(text: str) -> str:
    def replaced(match: re.Match[str]) -> str:
        escaped = match[1]
        if len(escaped) > 1:
            return chr(int(escaped[1:], 16))
        return {"n": "\n", "t": "\t", "r": "\r", "0": "\0", "b": "\b", "f": "\f"}.get(escaped, escaped)

    return _ESCAPE.sub(replaced, text[1:-1])


def _kind(tokens: Sequence[Token]) -> str:
    first = next((token for token in tokens if token.text != "("), Token("end", ""))
    return "SELECT" if first.is_keyword("WITH", "SELECT", "FROM") else first.text.upper()


def _format(tokens: Sequence[Token]) -> str:
    """The name after the last `FORMAT` outside of brackets."""
    depth = 0
    found = ""
    for at, token in enumerate(tokens[:-1]):
        depth += (token.text == "(" and token.kind == "sign") - (token.text == ")" and token.kind == "sign")
        if depth == 0 and token.is_keyword("FORMAT") and tokens[at + 1].is_name:
            found = tokens[at + 1].text
    return found


def _settings(tokens: Sequence[Token]) -> set[str]:
    """The names in `SET a = …, b = …` and after each `SETTINGS`; a value may be left out.

    A list of settings ends where its bracket closes or the next keyword comes. Names behind a comma that are
    not settings do no harm.
    """
    found: set[str] = set()
    depth = 0
    # The depths at which a list goes on, and whether a name comes next.
    lists: list[int] = []
    expected = False
    for at, token in enumerate(tokens):
        if token.kind == "sign":
            depth += (token.text in "([{") - (token.text in ")]}")
            while lists and depth < lists[-1]:
                lists.pop()
            expected = token.text == "," and lists[-1:] == [depth]
        elif token.is_keyword("SETTINGS") or (at == 0 and token.is_keyword("SET")):
            lists.append(depth)
            expected = True
        elif expected and token.is_name:
            found.add(_compound_name(tokens, at))
            expected = False
        elif lists[-1:] == [depth] and token.is_keyword("FORMAT", "UNION", "INTO"):
            lists.pop()
    return found


def _compound_name(tokens: Sequence[Token], at: int) -> str:
    name = tokens[at].text
    while at + 2 < len(tokens) and tokens[at + 1].text == "." and tokens[at + 2].is_name:
        at += 2
        name += "." + tokens[at].text
    return name


def _parameter(text: str) -> tuple[str, str]:
    name, _, kind = text[1:-1].partition(":")
    return name, kind.strip()
