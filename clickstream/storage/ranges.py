"""Ranges of offsets: how a piece of the raw events is named."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

NOTHING_PROCESSED: Final = -1
"""`after_offset` of an origin from which nothing has been processed."""


@dataclass(frozen=True, slots=True)
class OffsetRange:
    """Whole records of one origin.

    Attributes:
        origin: What they were read from.
        after_offset: They begin after this offset; -1 for the beginning.
        to_offset: Their last offset.
        rows: How many raw rows there are within.
    """

    origin: str
    after_offset: int
    to_offset: int
    rows: int = 0


def span_parameters(ranges: Iterable[OffsetRange]) -> dict[str, object]:
    """The parameters by which the queries of the warehouse pick the raw rows of some ranges."""
    spans = list(ranges)
    first_offsets = [span.after_offset + 1 for span in spans]
    last_offsets = [span.to_offset for span in spans]
    return {
        "origins": [span.origin for span in spans],
        "first_offsets": first_offsets,
        "last_offsets": last_offsets,
        "least_offset": min(first_offsets, default=0),
        "greatest_offset": max(last_offsets, default=0),
    }
