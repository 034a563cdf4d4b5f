"""How long things may take on a machine that is busy."""

import os
from typing import Final

MOST: Final = 20.0
"""On no machine are waits stretched further than this."""


def patience() -> float:
    """How many times longer than on an idle machine a step may take: the load for each processor.

    It is 1 while there are enough processors for all that wants to run, and at most `MOST`.
    """
    try:
        load = os.getloadavg()[0]
    except OSError:
        return 1.0
    return min(max(1.0, load / (os.cpu_count() or 1)), MOST)
