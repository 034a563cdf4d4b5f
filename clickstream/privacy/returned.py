"""Erased people who are in the warehouse again, as after the restoration of an old backup."""

import pyarrow as pa
from clickhouse_connect.driver.client import Client

from clickstream.privacy.naming import people_named_in
from clickstream.privacy.people import ErasedPeople
from clickstream.storage.arrow import column, schema_of, stream_batches
from clickstream.storage.sql import load_sql


def find_returned(client: Client, people: ErasedPeople) -> list[int]:
    """The user ids in events, users and quarantine that are on the list of erased people, in order."""
    if not people:
        return []
    known = {int(user_id) for (user_id,) in client.query(load_sql("queries/known_people")).result_rows}
    bodies = schema_of([column("body", pa.string())])
    for batch in stream_batches(client, "queries/quarantined_bodies", {}, bodies):
        for body in batch["body"].to_pylist():
            known |= people_named_in(str(body))
    return sorted(user_id for user_id in known if user_id in people)
