"""Text of events made safe to show: what would steer a terminal, or turn its text around, becomes visible.

An escape sequence in an event can retitle a window, hide lines or forge them; bidirectional controls show
text in another order than it has (CVE-2021-42574).
"""

import re
from typing import Final

_STEERING: Final = re.compile(
    "["
    "\x00-\x08\x0b-\x1f\x7f"  # C0 but for tab and line feed, and DEL
    "\x80-\x9f"  # C1
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # bidirectional marks, embeddings, overrides and isolates
    "\u2028\u2029"  # line and paragraph separator
    "\ud800-\udfff"  # surrogates, which can't be written at all
    "]"
)


def printable(text: str) -> str:
    r"""The text with every control character as its escape, such as `\x1b`; line feeds and tabs stay."""
    return _STEERING.sub(lambda found: _escape(ord(found.group())), text)


def printable_json(text: str) -> str:
    r"""JSON with every control character as `\u…`, which is the same JSON."""
    return _STEERING.sub(lambda found: f"\\u{ord(found.group()):04x}", text)


def _escape(code: int) -> str:
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
