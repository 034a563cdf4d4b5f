"""Cells that a spreadsheet neither runs nor changes, and that come back as they were.

What a spreadsheet would run as a formula gets an apostrophe in front (OWASP, “CSV injection”). That goes for
the beginning of a cell, and for what follows a separator within it: where the separator is another one than
ours, a spreadsheet splits the cell there. For Excel, numbers and dates that it would write back as another
text get one, too. `cell_of` puts the apostrophes there, and `text_of_cell` takes exactly these off again.
"""

import re
from typing import Final

_SIGNS: Final = r"=+\-@\uff1d\uff0b\uff0d\uff20"
"""What formulas begin with, also in the full-width forms that spreadsheets of East Asia take."""

_LEAD: Final = r"""[ '"\u00a0\u200b\u3000\ufeff]*"""
"""What spreadsheets drop or skip in front of a formula, and the apostrophe that we put there ourselves."""

_FORMULA_STARTS: Final = rf"^(?={_LEAD}[{_SIGNS}\t\r\n])|(?<=[,;|\t\r\n])(?={_LEAD}[{_SIGNS}])"
_FORMULA: Final = re.compile(_FORMULA_STARTS)
_ESCAPED_FORMULA: Final = re.compile(_FORMULA_STARTS.replace("(?=", "'(?="))
"""A formula has an apostrophe more than the text had, however many that were: so every text comes back."""

_MARKED: Final = re.compile(
    r"'+(?=[^'\n]*[0-9]|true|false)[0-9A-Za-z][0-9A-Za-z .,:+\-/%]*", re.ASCII | re.IGNORECASE
)
"""A cell that may have been marked. A text that looks like one gets an apostrophe more, so that every text
comes back; wider than `_CHANGED`, so that files of earlier versions are read as well."""

_MONTH: Final = r"(?:jan|feb|mar|apr|ma[iy]|jun|jul|aug|sep|o[ck]t|nov|de[cz])[a-z]*\.?"
_TIME: Final = r"[0-9]{1,2}:[0-9]{2}(?::[0-9]{2}(?:[.,][0-9]+)?)?(?: ?[ap]m?)?"
_DAY: Final = (
    rf"[0-9]{{1,4}}[-/. ](?:[0-9]{{1,2}}|{_MONTH})(?:[-/. ]+[0-9]{{1,4}})?"
    rf"|[0-9]{{1,2}}{_MONTH}[0-9]*"
    rf"|{_MONTH}[-/. ]?[0-9]{{1,4}}(?:,? ?[0-9]{{4}})?"
)
_NUMBER: Final = (
    r"[0-9]{16,}"  # Excel keeps 15 digits
    r"|0[0-9]+"
    r"|[0-9]+[.,][0-9]+"
    r"|[0-9]{1,3}(?:[.,][0-9]{3})+(?:[.,][0-9]+)?"  # Where points group digits, also some addresses
    r"|[0-9]+(?:[.,][0-9]+)?e[+\-]?[0-9]+"
    r"|[0-9][0-9.,]* ?%"
)
_CHANGED: Final = re.compile(
    rf"{_NUMBER}|(?:{_DAY})(?: {_TIME})?|{_TIME}|true|false", re.ASCII | re.IGNORECASE
)
"""What Excel, in any language, takes for a number, a date or a boolean and writes back differently."""


def escape_formula(text: str) -> str:
    """The text of a cell that no spreadsheet runs as a formula, wherever it splits the cell."""
    return _FORMULA.sub("'", text)


def cell_of(text: str, *, for_excel: bool = False) -> str:
    """The cell of a text: no formula, and `text_of_cell` gives the text back.

    Args:
        text: The text.
        for_excel: Also keep what Excel would change.
    """
    cell = escape_formula(text)
    is_marked = _MARKED.fullmatch(cell) or (for_excel and _CHANGED.fullmatch(cell))
    return f"'{cell}" if is_marked else cell


def text_of_cell(cell: str) -> str:
    """The text from which `cell_of` made a cell."""
    return _ESCAPED_FORMULA.sub("", cell[1:] if _MARKED.fullmatch(cell) else cell)
