"""Which events were accepted lately, so that an answer can say how many of a repeated batch were known."""

from collections.abc import Iterable
from typing import Final

REMEMBERED_IDS: Final = 250_000
"""At least this many ids are remembered, and at most twice as many: some 40 MB."""


class RecentIds:
    """The ids that this process accepted last.

    It only informs: whether an event counts is decided by the ETL, which knows all ids.
    """

    def __init__(self, remembered: int = REMEMBERED_IDS) -> None:
        self._remembered = remembered
        self._newer: set[int] = set()
        self._older: set[int] = set()

    def add(self, ids: Iterable[int]) -> int:
        """Remember the ids of accepted events.

        Returns:
            How many of them were known already, repeats within `ids` among them.
        """
        known = 0
        for id_ in ids:
            if id_ in self._newer or id_ in self._older:
                known += 1
                continue
            if len(self._newer) >= self._remembered:
                self._newer, self._older = set(), self._newer
            self._newer.add(id_)
        return known
