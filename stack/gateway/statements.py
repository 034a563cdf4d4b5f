"""Finds where the rows of an insert begin.

The rows follow the statement in the same body, and are not SQL, so the engine can't be asked. What comes
before them is a statement like any other: the engine's parser reads it (`canonical`) and `rules` judges it
before it runs, so a mistake made here can't widen what an account may do.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

_TOKEN: Final = re.compile(
    rb"""
      (?P<space>   (?: \s | \xc2\xa0 | \xe2\x80[\x80-\x8f] | \xef\xbb\xbf )+
                 | (?:--|\#[ !])[^\n]* | /\*.*?\*/ )
    | (?P<text>    '(?: [^'\\] | \\. | '' )*' | \xe2\x80\x98.*?\xe2\x80\x99 )
    | (?P<quoted>  "(?: [^"\\] | \\. | "" )*" | `(?: [^`\\] | \\. | `` )*` | \xe2\x80\x9c.*?\xe2\x80\x9d )
    | (?P<heredoc> \$(?P<tag>\w*)\$ .*? \$(?P=tag)\$ )
    | (?P<word>    [A-Za-z_][\w$]* )
    | (?P<number>  [0-9][\w.]* )
    | (?P<sign>    . )
    """,
    re.VERBOSE | re.DOTALL,
)
_OPENING: Final = frozenset((b"(", b"[", b"{"))
_CLOSING: Final = frozenset((b")", b"]", b"}"))
_INSERT_SOURCES: Final = frozenset((b"VALUES", b"FORMAT", b"SELECT", b"WITH", b"WATCH", b"FROM", b"EXPLAIN"))


class Token(NamedTuple):
    """A piece of a statement: its kind, its text, where it ends, and how many brackets are open before it."""

    kind: str
    text: bytes
    end: int
    depth: int

    @property
    def word(self) -> bytes:
        """The keyword in upper case; empty for what is not a bare word."""
        return self.text.upper() if self.kind == "word" else b""


@dataclass(frozen=True)
class RowsStatement:
    """An insert whose rows follow.

    Attributes:
        head: The text before `FORMAT` or `VALUES`.
        format: The format of the rows.
        data_start: Where the rows begin.
    """

    head: bytes
    format: str
    data_start: int

    @property
    def text(self) -> bytes:
        """The statement without the rows, as the engine gets it."""
        return self.head + b" FORMAT " + self.format.encode()


def split_rows(text: bytes) -> RowsStatement | None:
    """Take an insert apart at the place where its rows begin; None for any other statement."""
    tokens = _leading_tokens(text)
    position = _insert_position(tokens)
    return None if position is None else _split(text, tokens, position)


def string_literals(text: bytes) -> Iterator[tuple[int, int, str]]:
    """The plain string literals of a statement: where each begins and ends, and its content."""
    for token in _tokens(text):
        if token.kind == "text" and b"\\" not in token.text:
            yield token.end - len(token.text), token.end, token.text[1:-1].decode(errors="replace")


def _tokens(text: bytes) -> Iterator[Token]:
    depth = 0
    for match in _TOKEN.finditer(text):
        kind = "heredoc" if match["heredoc"] is not None else str(match.lastgroup)
        if kind == "space":
            continue
        piece = match[0]
        if piece in _CLOSING:
            depth = max(0, depth - 1)
        yield Token(kind, piece, match.end(), depth)
        if piece in _OPENING:
            depth += 1


def _leading_tokens(text: bytes) -> list[Token]:
    """All tokens; for an insert with rows only those up to the rows, which are not SQL."""
    kept: list[Token] = []
    insert_at: int | None = None
    for token in _tokens(text):
        kept.append(token)
        if token.depth == 0 and token.word == b"INTO" and len(kept) > 1 and kept[-2].word == b"INSERT":
            insert_at = len(kept)
        if insert_at is None or token.depth > 0 or token.kind != "word":
            continue
        if token.word == b"VALUES" and _follows_target(kept, insert_at):
            break
        if len(kept) > 1 and kept[-2].word == b"FORMAT" and _follows_target(kept[:-1], insert_at):
            break
    return kept


def _follows_target(tokens: Sequence[Token], insert_at: int) -> bool:
    """Whether the last token comes after the name of the insert's table."""
    return len(tokens) - 1 >= _after_target(tokens, insert_at)


def _after_target(tokens: Sequence[Token], insert_at: int) -> int:
    """Index of the first token after `INSERT INTO [TABLE | FUNCTION] name[.name]`."""
    at = insert_at
    if at < len(tokens) and tokens[at].word in (b"TABLE", b"FUNCTION") and _is_name(tokens, at + 1):
        at += 1
    at += 1
    while at < len(tokens) and tokens[at].text == b".":
        at += 2
    return at


def _is_name(tokens: Sequence[Token], at: int) -> bool:
    return at < len(tokens) and tokens[at].kind in ("word", "quoted")


def _insert_position(tokens: Sequence[Token]) -> int | None:
    """Index after `INSERT INTO` outside of brackets."""
    for at in range(1, len(tokens)):
        if tokens[at].word == b"INTO" and tokens[at - 1].word == b"INSERT" and tokens[at].depth == 0:
            return at + 1
    return None


def _split(text: bytes, tokens: Sequence[Token], position: int) -> RowsStatement | None:
    for at in range(_after_target(tokens, position), len(tokens)):
        token = tokens[at]
        if token.depth > 0 or token.word not in _INSERT_SOURCES:
            if token.depth == 1 and tokens[at - 1].text == b"(" and token.word in (b"SELECT", b"WITH"):
                return None
            continue
        head = text[: token.end - len(token.text)]
        if token.word == b"VALUES":
            return RowsStatement(head, "Values", token.end)
        if token.word == b"FORMAT" and at + 1 < len(tokens) and tokens[at + 1].kind == "word":
            name = tokens[at + 1]
            return RowsStatement(head, name.text.decode(), _data_start(text, name.end))
        return None
    return None


def _data_start(text: bytes, at: int) -> int:
    """Rows begin after the line break behind the format's name, or after the blanks if there is none."""
    while at < len(text) and text[at : at + 1] in (b" ", b"\t", b"\f", b"\r"):
        at += 1
    return at + 1 if text[at : at + 1] == b"\n" else at
