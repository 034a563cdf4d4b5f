"""Cells of a CSV line as meant: without spaces around them, and empty where there is no value."""

import re
from functools import lru_cache
from typing import Final

NULL_WORDS: Final = frozenset(("\\N", "NULL", "null", "None", "NaN", "nan"))
"""What databases and pandas write where there is no value."""

_ESCAPE: Final = re.compile(r'\\(["\\])')


def without_nulls(cells: list[str]) -> list[str]:
    """The cells, empty where a word says that there is no value."""
    return ["" if cell in NULL_WORDS else cell for cell in cells]


def split_cells(record: str, delimiter: str) -> list[str] | None:
    """The cells of a record without the spaces around them, but with those inside quotes; None if broken."""
    cells: list[str] = []
    cell = _cell_pattern(delimiter)
    text = record.rstrip("\r\n")
    place = 0
    while True:
        match = cell.match(text, place)
        if match is None:
            return None
        quoted, plain, end = match.groups()
        cells.append(plain if quoted is None else quoted.replace('""', '"'))
        if not end:
            return cells
        place = match.end()


@lru_cache(maxsize=8)
def _cell_pattern(delimiter: str) -> re.Pattern[str]:
    end = re.escape(delimiter)
    return re.compile(rf' *(?:"((?:[^"]|"")*)" *|((?!")[^{end}\r\n]*?) *)({end}|\Z)')


def double_quotes(line: str) -> str:
    r"""A line whose quotes are escaped as `\"` with doubled quotes instead; `\\` is one backslash."""
    return _ESCAPE.sub(lambda match: '""' if match[1] == '"' else "\\", line)
