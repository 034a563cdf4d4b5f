"""Arrow tables out of ClickHouse: read at once or streamed in batches."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

import pyarrow as pa
from clickhouse_connect.driver.client import Client

from clickstream.storage.sql import load_sql

TIME: Final = pa.timestamp("ms", tz="UTC")
"""What DateTime64(3, 'UTC') is in Arrow."""


_MAX_TABLE_BYTES: Final = 256 * 1024 * 1024
"""Size at which a table is handed on though it has not all its rows: records may have a megabyte each."""


def column(name: str, kind: pa.DataType) -> "pa.Field[Any]":
    """A column that is never null."""
    return pa.field(name, kind, nullable=False)


def schema_of(columns: "Iterable[pa.Field[Any]]") -> pa.Schema:
    """The schema of some columns."""
    return pa.schema(columns)


COORDINATE_FIELDS: "Final[list[pa.Field[Any]]]" = [
    column("origin", pa.string()),
    column("offset", pa.uint64()),
    column("item", pa.uint32()),
]
"""The columns that name one raw row."""


def read_table(client: Client, query: str, parameters: Mapping[str, Any], schema: pa.Schema) -> pa.Table:
    """The whole result of a query of the warehouse, in the types of a schema."""
    table = client.query_arrow(load_sql(query), parameters=dict(parameters), use_strings=True)
    return table.select(schema.names).cast(schema)


def stream_batches(
    client: Client, query: str, parameters: Mapping[str, Any], schema: pa.Schema
) -> Iterator[pa.RecordBatch]:
    """The result of a query of the warehouse, block by block as the engine makes it."""
    with client.query_arrow_stream(load_sql(query), parameters=dict(parameters), use_strings=True) as blocks:
        for block in blocks:
            yield from pa.Table.from_batches([block]).select(schema.names).cast(schema).to_batches()


def rebatch(batches: Iterable[pa.RecordBatch], batch_rows: int) -> Iterator[pa.Table]:
    """Gathers blocks of any size into tables of `batch_rows` rows, fewer where they are large.

    The last may have fewer as well, and none is cut below the size of a block.
    """
    held: list[pa.RecordBatch] = []
    held_rows = 0
    for batch in batches:
        if held and sum(part.nbytes for part in held) + batch.nbytes > _MAX_TABLE_BYTES:
            yield pa.Table.from_batches(held)
            held, held_rows = [], 0
        rest = batch
        while held_rows + rest.num_rows >= batch_rows:
            taken = batch_rows - held_rows
            yield pa.Table.from_batches([*held, rest.slice(0, taken)])
            rest = rest.slice(taken)
            held, held_rows = [], 0
        if rest.num_rows:
            held.append(rest)
            held_rows += rest.num_rows
    if held:
        yield pa.Table.from_batches(held)
