"""Lines of a CSV file that do not fit its header: what seems to be the cause."""

import csv
import re
from contextlib import suppress
from typing import Final

from clickstream.sources.header import DELIMITERS

_QUOTE_IN_QUOTES: Final = re.compile(r'"\{"(?!")')


def suspect_cause(line: str, number: int, delimiter: str, width: int) -> str:
    """What seems to be wrong with a malformed line, and the remedy.

    Args:
        line: The line.
        number: Its number in the file.
        delimiter: What parts the cells of the header.
        width: How many cells the header has.
    """
    cells = line.split(delimiter)
    with suppress(csv.Error):
        cells = next(csv.reader([line], delimiter=delimiter), cells)
    delimiters = DELIMITERS.get(delimiter, "delimiters")
    causes = (
        ("\r" in line, "Carriage returns stand inside of cells; put such cells in double quotes."),
        ("'{" in line, "Cells seem to stand in single quotes; write double quotes."),
        (
            f"\\{delimiter}" in line,
            "Delimiters seem to be escaped by backslashes; put such cells in double quotes instead.",
        ),
        (
            len(cells) == 1 and line.startswith('"'),
            "Each line is in quotes as a whole, so it is one cell; save the file again without them.",
        ),
        (
            "{" in line and '"{' not in line and len(cells) > width,
            f"The payload holds {delimiters} and is not quoted; quote it and double its quotes.",
        ),
        (
            _QUOTE_IN_QUOTES.search(line) is not None,
            'Quotes inside of quotes seem not to be doubled; write "" for each.',
        ),
        (True, f"The header has {width} cells and line {number} has {len(cells)}."),
    )
    return next(cause for is_likely, cause in causes if is_likely)
