"""Makes the tracker that browsers load from its source: `python -m api.minify_tracker`, or `make tracker`.

The result is committed: the service needs no minifier, and a test holds the two files together.
"""

from pathlib import Path
from typing import Final

import minify

_STATIC: Final = Path(__file__).parent / "static"
SOURCE: Final = _STATIC / "tracker.js"
MINIFIED: Final = _STATIC / "tracker.min.js"


def minified_tracker() -> str:
    """The source without comments and blanks, its local names shortened."""
    text: str = minify.string("text/javascript", SOURCE.read_text())
    return f"{text}\n"


def main() -> None:
    """Writes the file that the service serves."""
    MINIFIED.write_text(minified_tracker())


if __name__ == "__main__":
    main()
