"""What Great Expectations sees of a batch: texts and JSON types as sent, each different thing once."""

import re
from collections import defaultdict
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from clickstream.contract import FIELDS, Field, Kind
from clickstream.decode import TYPE_NAMES, PayloadForm, Values, text_of
from clickstream.event.times import TIMESTAMP_PATTERN
from clickstream.timestamps import parse_timestamps

TYPE: Final = ":type"
LENGTH: Final = ":length"
LEAD_MS: Final = "created_at:lead_ms"
MOMENT_MS: Final = "created_at:ms"
READABLE: Final = "payload:readable"


@dataclass(frozen=True, slots=True)
class Sightings:
    """What was seen in the rows of a batch, each different thing once, and which row shows which.

    A suite decides on what is different; what it finds is spread over the rows. Most fields repeat a lot: of
    100,000 events a few hundred have different URLs.

    Attributes:
        seen: The columns that a suite looks at, a row for each different thing.
        which: For each row of the batch its place in `seen`.
    """

    seen: pd.DataFrame
    which: npt.NDArray[np.int64]

    def column(self, name: str) -> "pd.Series[Any]":
        """A column of `seen` as it is in the rows of the batch."""
        return self.seen[name].take(self.which).reset_index(drop=True)

    def beside(self, other: "Sightings") -> "Sightings":
        """Both things of each row together: each different pair once."""
        which, pairs = pd.factorize(self.which * len(other.seen) + other.which)
        mine, others = np.divmod(pairs, max(len(other.seen), 1))
        halves = [self.seen.take(mine), other.seen.take(others)]
        seen = pd.concat([half.reset_index(drop=True) for half in halves], axis="columns")
        return Sightings(seen, which.astype(np.int64))


def sight(column: Sequence[Hashable], name: str) -> Sightings:
    """The sightings of one column of plain values, none of which equals one of another type."""
    values, which = _number(column)
    return Sightings(pd.DataFrame({name: pd.Series(values, dtype=object)}), which)


def sight_fields(
    values: Sequence[Values], received_at_ms: Sequence[int], skews_ms: Sequence[int] | None = None
) -> dict[str, Sightings]:
    """What the suite `events` sees of some events, by the field that it is about.

    For each field `f` a column `f:type`, its JSON type, null where absent; and what its rule is about, null
    where the type isn't taken: `f:length` in characters for a text, else `f` as text. Besides, for
    `created_at`, whose rows are all kept apart, `created_at:ms` (since 1970, null where it is no time) and
    `created_at:lead_ms` (`created_at` minus the receipt), both moved by the skew of the sender's clock; and
    for fields of the payload what their conditions ask for, `type` and `payload:readable`.
    """
    sent: Sequence[Sequence[Any]] = list(zip(*values, strict=True)) or [()] * len(Values._fields)
    forms = sight(sent[-1], "payload" + TYPE)
    sightings: dict[str, Sightings] = {}
    for field, column in zip(FIELDS, sent, strict=False):
        if field.kind is Kind.PAYLOAD:
            sightings[field.name] = forms
        elif field.kind is Kind.TIMESTAMP:
            sightings[field.name] = _sight_times(field, column, received_at_ms, skews_ms or [0] * len(values))
        else:
            sightings[field.name] = _sight_values(field, column)
    types = sightings["type"]
    readable = forms.seen["payload" + TYPE].isin([None, PayloadForm.OBJECT])
    asked = Sightings(types.seen[["type"]], types.which).beside(
        Sightings(pd.DataFrame({READABLE: readable}), forms.which)
    )
    for field in FIELDS:
        if field.is_in_payload:
            sightings[field.name] = sightings[field.name].beside(asked)
    return sightings


def _number(column: Iterable[Hashable]) -> tuple[list[Hashable], npt.NDArray[np.int64]]:
    """The different values in the order in which they come, and for each row the place of its own."""
    places: defaultdict[Hashable, int] = defaultdict()
    places.default_factory = places.__len__
    which = np.fromiter(map(places.__getitem__, column), np.int64)
    return list(places), which


_TOLD_APART: Final = frozenset((str, int, type(None)))
"""Types whose values equal none of another type, as 1, 1.0 and true do."""


def _sight_values(field: Field, column: Sequence[Any]) -> Sightings:
    if not _TOLD_APART.issuperset(map(type, column)):
        column = [value if type(value) in _TOLD_APART else _stand_in(value) for value in column]
    cells, which = _number(column)
    return Sightings(pd.DataFrame(_columns_of_values(field, cells)), which)


def _stand_in(value: Any) -> tuple[type, str | None]:
    """The type of a value, and its text if a rule may ask for it."""
    return type(value), text_of(value) if type(value) is float else None


def _columns_of_values(field: Field, cells: Sequence[Any]) -> dict[str, Any]:
    types = [TYPE_NAMES.get(cell[0] if type(cell) is tuple else type(cell)) for cell in cells]
    texts = [
        None if kind not in field.json_types else cell[1] if type(cell) is tuple else text_of(cell)
        for cell, kind in zip(cells, types, strict=True)
    ]
    columns: dict[str, Any] = {field.name + TYPE: pd.Categorical(types)}
    if field.kind is Kind.TEXT:
        lengths = [None if text is None else len(text) for text in texts]
        columns[field.name + LENGTH] = pd.Series(lengths, dtype="float64")
    else:
        columns[field.name] = pd.Series(texts, dtype=object)
    return columns


def _sight_times(
    field: Field, column: Sequence[Any], received_at_ms: Sequence[int], skews_ms: Sequence[int]
) -> Sightings:
    types = [TYPE_NAMES.get(kind) for kind in map(type, column)]
    texts = [value if type(value) is str else None for value in column]
    rows = [row for row, text in enumerate(texts) if text is not None and _is_timestamp(text)]
    moments = np.full(len(texts), np.nan)
    moments[rows] = parse_timestamps([texts[row] for row in rows])
    moments += np.asarray(skews_ms, dtype=np.float64)
    seen = pd.DataFrame(
        {
            field.name + TYPE: pd.Categorical(types),
            field.name: pd.Series(texts, dtype=object),
            MOMENT_MS: moments,
            LEAD_MS: moments - np.asarray(received_at_ms, dtype=np.float64),
        }
    )
    return Sightings(seen, np.arange(len(texts)))


_is_timestamp: Final = re.compile(TIMESTAMP_PATTERN).search
