"""What is shown: the views of the warehouse."""

from typing import Final

import pyarrow as pa
from clickhouse_connect.driver.client import Client

from clickstream.errors import BadInputError
from clickstream.storage.sql import list_names, load_sql

VIEWS: Final = tuple(list_names("views"))
"""Names of all views."""

SEGMENT_VIEWS: Final = tuple(list_names("segments"))
"""Names of the views with parameters, which count within a segment."""


def make_views(client: Client) -> None:
    """Makes all views anew."""
    # Views read those with parameters, so these come first; but for that, no view reads a later one.
    for view in SEGMENT_VIEWS:
        client.command(load_sql(f"segments/{view}"))
    for view in sorted(VIEWS, key=lambda name: name in _READ_OTHERS):
        client.command(load_sql(f"views/{view}"))


_READ_OTHERS: Final = frozenset({"completeness"})


def read_view(client: Client, name: str) -> pa.Table:
    """All rows of a view, in no order.

    Raises:
        BadInputError: There is no view of this name.
    """
    if name not in VIEWS:
        raise BadInputError(f"There is no view {name!r}.", hint=f"Views are {', '.join(VIEWS)}.")
    return client.query_arrow("select * from {view:Identifier}", parameters={"view": name}, use_strings=True)
