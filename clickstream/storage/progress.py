"""How far each origin has been processed: the table `etl_progress`."""

from collections.abc import Iterable

import pyarrow as pa
from clickhouse_connect.driver.client import Client

from clickstream.storage.ranges import OffsetRange


def advance(client: Client, ranges: Iterable[OffsetRange]) -> None:
    """Notes that the records of some ranges, and all that follows from them, are done.

    Write it last: what lies behind the noted offsets is never looked at again.
    """
    parts = list(ranges)
    if parts:
        table = pa.table(
            {
                "origin": pa.array([part.origin for part in parts], pa.string()),
                "offset": pa.array([part.to_offset for part in parts], pa.uint64()),
            }
        )
        client.insert_arrow("etl_progress", table)


def processed_offset(client: Client, origin: str) -> int | None:
    """The offset up to which an origin is processed; None if nothing of it is."""
    rows = client.query(
        "select max(offset) from etl_progress where origin = {origin:String} having count() > 0",
        parameters={"origin": origin},
    ).result_rows
    return int(rows[0][0]) if rows else None
