"""What the ETL does with events of people who are erased: late records, replays, files loaded again."""

from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc
from clickhouse_connect.driver.client import Client

from clickstream.privacy.naming import people_named_in
from clickstream.privacy.people import ErasedPeople
from clickstream.storage.erasures import (
    ERASED_SCHEMA,
    Coordinate,
    delete_erased,
    insert_erased,
    known_coordinates,
)
from clickstream.storage.events import COORDINATES_SCHEMA

_LATE: Final = "late"
_TAKEN: Final = ("source", *COORDINATES_SCHEMA.names, "received_at")


def split_erased(raw: pa.Table, people: ErasedPeople) -> tuple[pa.Table, pa.Table]:
    """Parts a batch of raw rows into those to process and those that name an erased person.

    Args:
        raw: Rows of `RAW_SCHEMA`.
        people: The list.

    Returns:
        The rows to process, and of the others what `erase_late` needs, without their bodies.
    """
    if not people:
        return raw, raw.slice(0, 0).select(_TAKEN)
    verdicts: dict[frozenset[int], bool] = {}
    is_erased = []
    bodies: list[Any] = raw["body"].to_pylist()
    for body in bodies:
        named = people_named_in(body)
        verdict = verdicts.get(named)
        if verdict is None:
            verdict = verdicts[named] = any(user_id in people for user_id in named)
        is_erased.append(verdict)
    mask = pa.array(is_erased, pa.bool_())
    return raw.filter(pc.invert(mask)), raw.filter(mask).select(_TAKEN)


def erase_late(client: Client, rows: pa.Table, run_id: str) -> int:
    """Notes raw rows as erased, then removes them; both can be done again.

    Args:
        client: A connection that may write.
        rows: What `split_erased` took out.
        run_id: The run that does it.

    Returns:
        How many there are.
    """
    if rows.num_rows == 0:
        return 0
    columns: list[list[Any]] = [rows[name].to_pylist() for name in COORDINATES_SCHEMA.names]
    coordinates: list[Coordinate] = list(zip(*columns, strict=True))
    known = known_coordinates(client, "queries/erased_coordinates", coordinates)
    parts: dict[str, Any] = {
        **{name: rows[name] for name in ("source", *COORDINATES_SCHEMA.names)},
        "received_date": rows["received_at"].cast(pa.date32()),
        "fate": pa.array([_LATE] * rows.num_rows),
        "run_id": pa.array([run_id] * rows.num_rows),
    }
    erased = pa.Table.from_arrays([parts[name] for name in ERASED_SCHEMA.names], schema=ERASED_SCHEMA)
    is_new = pa.array([coordinate not in known for coordinate in coordinates], pa.bool_())
    insert_erased(client, erased.filter(is_new))
    delete_erased(client, tables=("raw_events",))
    return rows.num_rows
