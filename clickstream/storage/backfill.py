"""Brings events that were stored under older rules to those of today: bots, and the spelling of paths.

Only what an event's own columns tell is done again. What would need the body as received, such as a type of
device that was derived, stays as it was stored.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

from clickhouse_connect.driver.client import Client

from clickstream.event.agents import find_bot
from clickstream.event.urls import readable_path

_AT_ONCE_CHARACTERS: Final = 100_000
"""How much text one statement changes: it is in the address, of which a server reads a mebibyte."""


def mark_bots_and_read_paths(client: Client) -> None:
    """Judges the user agents of all events, and decodes the escapes of their paths."""
    _change(client, "user_agent", "user_agent != ''", find_bot, "is_bot = true, bot_name")
    _change(client, "url_path", "position(url_path, '%') > 0", _changed_path, "url_path")


BACKFILLS: Final[Mapping[str, Callable[[Client], None]]] = {"0010_bots": mark_bots_and_read_paths}
"""What is done to events once a migration's statements have been run; it can be repeated."""


def _changed_path(path: str) -> str:
    read = readable_path(path)
    return read if read != path else ""


def _change(client: Client, column: str, where: str, rule: Callable[[str], str], target: str) -> None:
    """Sets a column to what a rule gives for another one's values, where it gives anything."""
    rows = client.query(f"select distinct {column} from events where {where}").result_rows  # noqa: S608
    changes = [(str(value), result) for (value,) in rows if (result := rule(str(value)))]
    for piece in _pieces(changes):
        sent, results = zip(*piece, strict=True)
        client.command(
            f"alter table events update {target} = transform({column}, {{sent:Array(String)}}, "
            f"{{results:Array(String)}}, '') where {column} in {{sent:Array(String)}}",
            parameters={"sent": list(sent), "results": list(results)},
            settings={"mutations_sync": 2},
        )


def _pieces(changes: Sequence[tuple[str, str]]) -> Iterator[list[tuple[str, str]]]:
    """The changes in pieces of bounded size, none of which is empty."""
    piece: list[tuple[str, str]] = []
    characters = 0
    for before, after in changes:
        characters += len(before) + len(after)
        if piece and characters > _AT_ONCE_CHARACTERS:
            yield piece
            piece, characters = [], len(before) + len(after)
        piece.append((before, after))
    if piece:
        yield piece
