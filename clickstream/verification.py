"""Compares what the warehouse shows with an answer key that was computed apart from it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Final

import pyarrow.compute as pc
from clickhouse_connect.driver.client import Client

from clickstream.errors import BadInputError
from clickstream.storage.quarantine import QuarantineFilter, count_quarantined
from clickstream.storage.views import VIEWS, read_view

_DIMENSIONS: Final = frozenset(
    {
        "date",
        "hour",
        "source",
        "url_path",
        "element_id",
        "event_title",
        "device_type",
        "x_bin",
        "y_bin",
        "code",
        "field",
        "value",
    }
)
"""Columns that say what a row is about; the others are what was counted."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One row that is not as the key says.

    Attributes:
        row: What the row is about, by column.
        expected: Its values by the key; None if the key has no such row.
        found: Its values in the warehouse; None if there is no such row.
    """

    row: Mapping[str, Any]
    expected: Mapping[str, Any] | None
    found: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class Comparison:
    """One view, or other list of counts, held against the key."""

    name: str
    rows: int
    differences: Sequence[Difference]


def load_key(path: Path) -> dict[str, Any]:
    """Reads an answer key.

    Raises:
        BadInputError: The file is missing or is not an answer key.
    """
    try:
        key: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        is_key = {"views", "ledger", "quarantined"} <= key.keys()
    except FileNotFoundError:
        raise BadInputError(f"There is no file {path}.", hint="`generator csv` writes keys.") from None
    except (UnicodeDecodeError, ValueError, AttributeError):
        is_key = False
    if not is_key:
        raise BadInputError(f"{path} is not an answer key.", hint="Give a file …key.json of `generator csv`.")
    unknown = sorted(set(key["views"]) - set(VIEWS))
    if unknown:
        raise BadInputError(f"{path} has views that the warehouse does not have: {', '.join(unknown)}.")
    return key


def compare_with_key(client: Client, key: Mapping[str, Any]) -> list[Comparison]:
    """Holds every view of a key, the ledger's totals and the error codes against the warehouse."""
    comparisons = [
        _compare(
            name, expected["columns"], expected["rows"], _rows_of_view(client, name, expected["columns"])
        )
        for name, expected in key["views"].items()
    ]
    ledger = key["ledger"]
    comparisons.append(
        _compare("ledger", ledger["columns"], ledger["rows"], _ledger_totals(client, ledger["columns"]))
    )
    expected_codes = [[code, rows] for code, rows in key["quarantined"]["by_code"].items() if rows]
    found_codes = count_quarantined(client, QuarantineFilter(include_replayed=True))
    comparisons.append(
        _compare(
            "error codes", ["code", "rows"], expected_codes, [list(item) for item in found_codes.items()]
        )
    )
    return comparisons


def _rows_of_view(client: Client, name: str, columns: Sequence[str]) -> list[list[Any]]:
    rows = client.query("select * from {view:Identifier}", parameters={"view": name}, tz_mode="aware")
    return [[_normal(row[column]) for column in columns] for row in rows.named_results()]


def _normal(value: Any) -> Any:
    """A value as the key writes it: dates and hours as text."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return value.isoformat() if isinstance(value, date) else value


def _ledger_totals(client: Client, columns: Sequence[str]) -> list[list[Any]]:
    """The ledger over all days: a key can't know on which day a file is received."""
    counts = [column for column in columns if column != "source"]
    totals = read_view(client, "ledger").group_by("source").aggregate([(column, "sum") for column in counts])
    return [
        [row["source"] if column == "source" else row[f"{column}_sum"] for column in columns]
        for row in totals.filter(pc.field("received_sum") > 0).to_pylist()
    ]


def _compare(
    name: str, columns: Sequence[str], expected: Sequence[Sequence[Any]], found: Sequence[Sequence[Any]]
) -> Comparison:
    def by_row(rows: Sequence[Sequence[Any]]) -> dict[tuple[Any, ...], dict[str, Any]]:
        named = [dict(zip(columns, row, strict=True)) for row in rows]
        return {tuple(row[column] for column in columns if column in _DIMENSIONS): row for row in named}

    wanted, there = by_row(expected), by_row(found)
    if len(there) != len(found):
        raise ValueError(f"{name} has several rows about the same thing.")
    dimensions = [column for column in columns if column in _DIMENSIONS]
    differences = [
        Difference(
            dict(zip(dimensions, about, strict=True)), _counted(wanted.get(about)), _counted(there.get(about))
        )
        for about in sorted(wanted.keys() | there.keys(), key=str)
        if wanted.get(about) != there.get(about)
    ]
    return Comparison(name, len(wanted), differences)


def _counted(row: Mapping[str, Any] | None) -> dict[str, Any] | None:
    return None if row is None else {name: value for name, value in row.items() if name not in _DIMENSIONS}
