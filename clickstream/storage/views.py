"""What is shown: the views of the warehouse."""

import re
from graphlib import TopologicalSorter
from typing import Final

import pyarrow as pa
from clickhouse_connect.driver.client import Client

from clickstream.errors import BadInputError
from clickstream.storage.sql import list_names, load_sql

VIEWS: Final = tuple(list_names("views"))
"""Names of all views."""

SEGMENT_VIEWS: Final = tuple(list_names("segments"))
"""Names of the views with parameters, which count within a segment."""

FILTER_VIEWS: Final = tuple(list_names("filters"))
"""Names of the views whose parameters choose among rows; for the product's own queries."""

_READS: Final = re.compile(r"\b(?:from|join) (\w+)")


def make_views(client: Client) -> None:
    """Recreates all views, each after those that it reads."""
    texts = {
        name: load_sql(f"{folder}/{name}")
        for folder, names in (("filters", FILTER_VIEWS), ("segments", SEGMENT_VIEWS), ("views", VIEWS))
        for name in names
    }
    reads = {name: texts.keys() & set(_READS.findall(text)) for name, text in texts.items()}
    for name in TopologicalSorter(reads).static_order():
        client.command(texts[name])


def read_view(client: Client, name: str) -> pa.Table:
    """All rows of a view, in no order.

    Raises:
        BadInputError: There is no view of this name.
    """
    if name not in VIEWS:
        raise BadInputError(f"There is no view {name!r}.", hint=f"Views are {', '.join(VIEWS)}.")
    return client.query_arrow("select * from {view:Identifier}", parameters={"view": name}, use_strings=True)
