"""Reads what the gateway has to know of a statement before the engine runs it.

The engine parses SQL; the gateway only needs a few facts: is it an insert whose rows follow in the body,
in which format, where do they begin; which format does a query ask for; does it reach for files. A tokenizer
that knows ClickHouse's strings, comments and heredocs answers them; patterns over the text would be fooled
by any of these.
"""

import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from stack.gateway.errors import Code, StatementError

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
# Engines of tables and databases that keep their data in the data directory, or have none.
_LOCAL_ENGINES: Final = re.compile(
    rb"\w*MERGETREE|MEMORY|NULL|LOG|TINYLOG|STRIPELOG|MERGE|SET|JOIN|BUFFER|DICTIONARY|VIEW|MATERIALIZEDVIEW"
    rb"|GENERATERANDOM|FUZZJSON|ALIAS|TIMESERIES|ATOMIC|ORDINARY|LAZY|REPLICATED|SHARED"
)
_LOCAL_DICTIONARY_SOURCES: Final = frozenset((b"CLICKHOUSE", b"NULL"))
_VERBS_WITHOUT_RESULT: Final = frozenset(
    (
        "SET", "USE", "INSERT", "CREATE", "DROP", "ALTER", "RENAME", "EXCHANGE", "TRUNCATE", "ATTACH",
        "DETACH", "OPTIMIZE", "DELETE", "UPDATE", "SYSTEM", "GRANT", "REVOKE", "UNDROP", "REPLACE", "",
    )
)  # fmt: skip


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
class Statement:
    """What the gateway knows of a statement.

    Attributes:
        verb: Its first keyword in upper case (`SELECT` for a query that begins with `WITH` or a bracket).
        format: The format that it names itself; empty if none.
        head: For an insert whose rows follow: the text before `FORMAT` or `VALUES`.
        data_start: For an insert whose rows follow: where they begin; None for all other statements.
    """

    verb: str
    format: str = ""
    head: bytes = b""
    data_start: int | None = None

    @property
    def sets_settings(self) -> bool:
        """Whether it changes the settings of its session."""
        return self.verb == "SET"

    @property
    def has_result(self) -> bool:
        """Whether it gives rows; a server names no format for one that does not."""
        return self.verb not in _VERBS_WITHOUT_RESULT


def read_statement(text: bytes) -> Statement:
    """Read a statement, or the beginning of one if it is an insert with rows.

    Raises:
        StatementError: It reads or writes files of the server, or changes roles.
    """
    tokens = _leading_tokens(text)
    _refuse_files_and_roles(tokens)
    verb = _verb(tokens)
    if verb == "INSERT":
        return _read_insert(text, tokens)
    return Statement(verb=verb, format=_output_format(tokens))


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


def _verb(tokens: Sequence[Token]) -> str:
    words = [token for token in tokens if token.kind == "word"]
    if not words:
        return ""
    first = words[0].word
    if first == b"WITH" and _insert_position(tokens) is not None:
        return "INSERT"
    if first in (b"WITH", b"SELECT") or (tokens and tokens[0].text == b"("):
        return "SELECT"
    return first.decode()


def _insert_position(tokens: Sequence[Token]) -> int | None:
    """Index after `INSERT INTO` outside of brackets."""
    for at in range(1, len(tokens)):
        if tokens[at].word == b"INTO" and tokens[at - 1].word == b"INSERT" and tokens[at].depth == 0:
            return at + 1
    return None


def _read_insert(text: bytes, tokens: Sequence[Token]) -> Statement:
    position = _insert_position(tokens)
    if position is None:
        return Statement(verb="INSERT")
    for at in range(_after_target(tokens, position), len(tokens)):
        token = tokens[at]
        if token.depth > 0 or token.word not in _INSERT_SOURCES:
            if token.depth == 1 and tokens[at - 1].text == b"(" and token.word in (b"SELECT", b"WITH"):
                return _read_insert_select(tokens)
            continue
        head = text[: token.end - len(token.text)]
        if token.word == b"VALUES":
            return Statement(verb="INSERT", format="Values", head=head, data_start=token.end)
        if token.word == b"FORMAT" and at + 1 < len(tokens):
            name = tokens[at + 1]
            start = _data_start(text, name.end)
            return Statement(verb="INSERT", format=name.text.decode(), head=head, data_start=start)
        return _read_insert_select(tokens)
    return Statement(verb="INSERT")


def _read_insert_select(tokens: Sequence[Token]) -> Statement:
    """An insert of what a query gives.

    The engine takes rows for `input()` from nowhere, stores none and says that all is well: refuse it.
    """
    for at, token in enumerate(tokens[:-1]):
        if token.word == b"INPUT" and tokens[at + 1].text == b"(":
            raise StatementError(
                Code.NOT_IMPLEMENTED,
                "The table function input() is not supported: insert the rows into a table of their own, "
                "and select from that",
            )
    return Statement(verb="INSERT")


def _data_start(text: bytes, at: int) -> int:
    """Rows begin after the line break behind the format's name, or after the blanks if there is none."""
    while at < len(text) and text[at : at + 1] in (b" ", b"\t", b"\f", b"\r"):
        at += 1
    return at + 1 if text[at : at + 1] == b"\n" else at


def _output_format(tokens: Sequence[Token]) -> str:
    """The name after the last `FORMAT` that ends the statement or stands before `SETTINGS`."""
    for at in range(len(tokens) - 2, 0, -1):
        if tokens[at].word != b"FORMAT" or tokens[at].depth > 0 or tokens[at + 1].kind != "word":
            continue
        after = tokens[at + 2] if at + 2 < len(tokens) else None
        if after is None or after.text == b";" or after.word in (b"SETTINGS", b"INTO"):
            return tokens[at + 1].text.decode()
    return ""


def _refuse_files_and_roles(tokens: Sequence[Token]) -> None:
    """Refuse what the engine would allow to anyone in its own process, and a server would not."""
    words = [token.word for token in tokens]
    pairs = set(itertools.pairwise(words))
    if (b"INTO", b"OUTFILE") in pairs:
        raise StatementError(Code.INTO_OUTFILE_NOT_ALLOWED, "INTO OUTFILE is not allowed")
    if (b"FROM", b"INFILE") in pairs:
        raise StatementError(
            Code.UNKNOWN_TYPE_OF_QUERY, "FROM INFILE is not allowed: send the rows in the body"
        )
    if (
        words[:1] == [b"EXECUTE"]
        or words[:2] == [b"SET", b"ROLE"]
        or words[:3] == [b"SET", b"DEFAULT", b"ROLE"]
    ):
        raise StatementError(Code.ACCESS_DENIED, "Roles are fixed: each of the two users has its own")
    if words[:1] == [b"ATTACH"] and any(
        word == b"FROM" and tokens[at + 1].kind == "text" for at, word in enumerate(words[:-1])
    ):
        raise StatementError(Code.ACCESS_DENIED, "ATTACH … FROM a path is not allowed")
    if words[:1] in ([b"CREATE"], [b"ATTACH"], [b"REPLACE"]):
        _refuse_foreign_data(tokens)
    for at, token in enumerate(tokens[:-1]):
        if _calls_file(tokens, at):
            raise StatementError(Code.ACCESS_DENIED, f"The function {token.text.decode()} is not allowed")


def _refuse_foreign_data(tokens: Sequence[Token]) -> None:
    """Refuse tables, databases and dictionaries whose data lies elsewhere: not all of them need a grant."""
    for at, token in enumerate(tokens[:-1]):
        if token.word == b"ENGINE":
            name = tokens[at + 2] if tokens[at + 1].text == b"=" and at + 2 < len(tokens) else tokens[at + 1]
            if token.depth == 0 and name.kind == "word" and not _LOCAL_ENGINES.fullmatch(name.word):
                raise StatementError(Code.ACCESS_DENIED, f"The engine {name.text.decode()} is not allowed")
        if token.word == b"SOURCE" and tokens[at + 1].text == b"(" and at + 2 < len(tokens):
            source = tokens[at + 2]
            if source.word not in _LOCAL_DICTIONARY_SOURCES:
                raise StatementError(
                    Code.ACCESS_DENIED, f"The dictionary source {source.text.decode()} is not allowed"
                )


def _calls_file(tokens: Sequence[Token], at: int) -> bool:
    """Whether a token calls the scalar function `file`, for which the engine asks no grant."""
    token = tokens[at]
    if token.kind not in ("word", "quoted"):
        return False
    if token.text.strip(b'"`\xe2\x80\x9c\x9d').lower() != b"file" or tokens[at + 1].text != b"(":
        return False
    return at == 0 or not (tokens[at - 1].text == b"." or tokens[at - 1].word in (b"INTO", b"TABLE", b"VIEW"))
