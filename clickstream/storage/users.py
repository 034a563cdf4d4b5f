"""The users of the site: the table `users`."""

from typing import Final

import pyarrow as pa
from clickhouse_connect.driver.client import Client

from clickstream.storage.arrow import column, schema_of

USERS_SCHEMA: Final = schema_of(
    [
        column("id", pa.uint64()),
        column("fio", pa.string()),
        column("country", pa.string()),
    ]
)
"""Columns of `users`."""


def insert_users(client: Client, table: pa.Table) -> None:
    """Writes users; one whose id is there already takes its place.

    Args:
        client: A connection that may write.
        table: Rows of `USERS_SCHEMA`.
    """
    if table.num_rows:
        client.insert_arrow("users", table.cast(USERS_SCHEMA))
