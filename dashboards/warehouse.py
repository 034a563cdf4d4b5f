"""Columns of the warehouse, from the files that make and describe them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import yaml

from clickstream.settings import PROJECT_ROOT

WAREHOUSE: Final = PROJECT_ROOT / "warehouse"

_COLUMN: Final = re.compile(r"^    (?P<name>\w+) (?P<type>\S.*?) comment '", re.MULTILINE)
_TABLE: Final = re.compile(
    r"^create (?:or replace view|table if not exists) (?P<name>\w+)\s*\n\((?P<columns>.*?)^\)",
    re.MULTILINE | re.DOTALL,
)


class UnknownTableError(ValueError):
    """A view or mart that the warehouse does not have."""


@dataclass(frozen=True)
class Column:
    """A column of a view or mart: its type in ClickHouse, and what it means."""

    name: str
    type: str
    description: str

    @property
    def is_time(self) -> bool:
        """Whether it is a date or a time."""
        return re.match(r"(Nullable\()?(Date|DateTime)", self.type) is not None


@dataclass(frozen=True)
class Table:
    """A view or mart."""

    name: str
    description: str
    columns: Mapping[str, Column]


@lru_cache(maxsize=1)
def tables() -> Mapping[str, Table]:
    """Every view and mart that has a description, by its name."""
    types = _types()
    found = {}
    for path in sorted([*WAREHOUSE.glob("views/*.yml"), *WAREHOUSE.glob("marts/*.yml")]):
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
        name = document.get("view") or document["mart"]
        described = document["columns"]
        found[name] = Table(
            name=name,
            description=f"{document['description']} {document['grain'].removesuffix('.')}.",
            columns={
                column: Column(column, type_, str(described.get(column, "")))
                for column, type_ in types.get(name, {}).items()
            },
        )
    return found


def table(name: str) -> Table:
    """The view or mart of this name.

    Raises:
        UnknownTableError: There is no such table or view; the message lists those that exist.
    """
    if name not in tables():
        raise UnknownTableError(
            f"The warehouse has no view or mart {name!r}; there are {', '.join(tables())}."
        )
    return tables()[name]


def _types() -> Mapping[str, Mapping[str, str]]:
    """The types of the columns of every table and view, as the last statement has them."""
    paths = [*sorted(WAREHOUSE.glob("migrations/*.sql")), *sorted(WAREHOUSE.glob("views/*.sql"))]
    return {
        match["name"]: {column["name"]: column["type"] for column in _COLUMN.finditer(match["columns"])}
        for path in paths
        for match in _TABLE.finditer(path.read_text(encoding="utf-8"))
    }
