"""What is shown: the views of the warehouse."""

from typing import Final

import pyarrow as pa
from clickhouse_connect.driver.client import Client

from clickstream.errors import BadInputError
from clickstream.storage.sql import list_names

VIEWS: Final = tuple(list_names("views"))
"""Names of all views."""


def read_view(client: Client, name: str) -> pa.Table:
    """All rows of a view, in no order.

    Raises:
        BadInputError: There is no view of this name.
    """
    if name not in VIEWS:
        raise BadInputError(f"There is no view {name!r}.", hint=f"Views are {', '.join(VIEWS)}.")
    return client.query_arrow("select * from {view:Identifier}", parameters={"view": name}, use_strings=True)
