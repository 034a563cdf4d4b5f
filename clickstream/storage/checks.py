"""Checks of the warehouse: queries that must return no row."""

import re
from dataclasses import dataclass
from typing import Any, Final

from clickhouse_connect.driver.client import Client

from clickstream.storage.sql import list_names, load_sql

CHECKS: Final = tuple(list_names("checks"))
"""Names of all checks."""

_MAX_ROWS: Final = 100
_PURPOSE: Final = re.compile(r"-- Purpose: (.*?\.)(?:\s|$)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class CheckResult:
    """What a check found.

    Attributes:
        name: Name of its file.
        description: What it holds, one sentence.
        columns: Names of the columns of the rows.
        rows: Rows that violate it, at most 100; none if all is well.
    """

    name: str
    description: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]

    @property
    def passed(self) -> bool:
        """Whether no row violates it."""
        return not self.rows


def run_checks(client: Client) -> list[CheckResult]:
    """Runs every check.

    They count from scratch, which takes some seconds for ten million events, and hold between two runs of
    `process_events`; in the midst of one they may find what is not finished.
    """
    return [_run_check(client, name) for name in CHECKS]


def _run_check(client: Client, name: str) -> CheckResult:
    found = client.query(load_sql(f"checks/{name}"), settings={"limit": _MAX_ROWS})
    rows = tuple(tuple(row) for row in found.result_rows)
    return CheckResult(name, describe(name), tuple(found.column_names), rows)


def describe(name: str) -> str:
    """What a check holds, from the head of its file."""
    text = load_sql(f"checks/{name}").replace("\n-- ", " ")
    purpose = _PURPOSE.match(text)
    return purpose.group(1) if purpose else ""
