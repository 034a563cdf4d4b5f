"""SQL of the warehouse: files loaded by name, and files of several statements taken apart."""

import re
from functools import cache
from pathlib import Path
from typing import Final

from clickstream.settings import PROJECT_ROOT

WAREHOUSE_PATH: Final = PROJECT_ROOT / "warehouse"

_TOKEN: Final = re.compile(
    r"""
      --[^\n]*                              # a comment to the end of the line
    | /\*.*?\*/                             # a comment in the midst
    | '(?:[^'\\]|\\.|'')*'                  # a text
    | `(?:[^`\\]|\\.)*` | "(?:[^"\\]|\\.)*" # a name in quotes
    | ;
    """,
    re.VERBOSE | re.DOTALL,
)


@cache
def load_sql(name: str) -> str:
    """The text of a file of the warehouse.

    Args:
        name: Folder and name without the suffix, such as `queries/read_raw`.

    Raises:
        FileNotFoundError: There is no such file.
    """
    return (WAREHOUSE_PATH / f"{name}.sql").read_text(encoding="utf-8").rstrip().removesuffix(";")


def list_names(folder: str) -> list[str]:
    """The names, without suffix, of the SQL files of a folder of the warehouse, in order."""
    return sorted(path.stem for path in _sql_files(WAREHOUSE_PATH / folder))


def _sql_files(folder: Path) -> list[Path]:
    return list(folder.glob("*.sql"))


def split_statements(text: str) -> list[str]:
    """Takes a file apart at the semicolons that stand outside of texts, quoted names and comments.

    Comments stay with the statement that follows them; what holds nothing but comments is left out.
    """
    statements: list[str] = []
    start = 0
    is_empty = True
    position = 0
    for token in _TOKEN.finditer(text):
        is_comment = token.group().startswith(("--", "/*"))
        is_empty = (
            is_empty and not text[position : token.start()].strip() and (is_comment or token.group() == ";")
        )
        position = token.end()
        if token.group() == ";":
            if not is_empty:
                statements.append(text[start : token.start()].strip())
            start, is_empty = token.end(), True
    if not is_empty or text[position:].strip():
        statements.append(text[start:].strip())
    return statements
