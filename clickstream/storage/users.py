"""The users of the site: the table `users`."""

from datetime import date
from typing import Final

import pyarrow as pa
from clickhouse_connect.driver.client import Client

from clickstream.storage.arrow import column, read_table, schema_of
from clickstream.storage.sql import load_sql

USERS_SCHEMA: Final = schema_of(
    [
        column("id", pa.uint64()),
        column("fio", pa.string()),
        column("country", pa.string()),
    ]
)
"""Columns of `users` but for `loaded_at`, which the database fills in."""


def insert_users(client: Client, table: pa.Table) -> int:
    """Writes the users that are new or were changed; one whose id is there already takes its place.

    Args:
        client: A connection that may write.
        table: Rows of `USERS_SCHEMA`; of two with one id the last counts.

    Returns:
        How many were written; the others are there just so.
    """
    users = {row["id"]: row for row in table.to_pylist()}
    stored = read_table(client, "queries/stored_users", {"ids": list(users)}, USERS_SCHEMA)
    for row in stored.to_pylist():
        if users[row["id"]] == row:
            del users[row["id"]]
    if users:
        client.insert_arrow("users", pa.Table.from_pylist(list(users.values()), schema=USERS_SCHEMA))
    return len(users)


def last_loaded_ms(client: Client) -> int:
    """When the last user was written, in milliseconds since 1970; 0 if there is none."""
    rows = client.query("select toUnixTimestamp64Milli(max(loaded_at)) from users").result_rows
    return int(rows[0][0])


def days_of_new_users(client: Client, since_ms: int) -> list[date]:
    """The days on which users were active that were written after a moment (milliseconds since 1970)."""
    rows = client.query(load_sql("queries/days_of_new_users"), parameters={"since_ms": since_ms}).result_rows
    return [day for (day,) in rows]
