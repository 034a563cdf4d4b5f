"""What the warnings about a CSV file say: the warehouse has the codes, the lines have the rest."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any, Final

from clickhouse_connect.driver.client import Client

from clickstream.decode import SentEvent, read_record, read_values
from clickstream.event.rules import Receipt, find_problems, is_warning
from clickstream.storage.sql import load_sql

STORED: Final = "stored without the value"

Row = tuple[Any, ...]
Warned = tuple[int, datetime, str]
"""A line, when it was received, and its text."""


def stream_warned(client: Client, origin: str) -> Iterator[Warned]:
    """The lines of a file that were stored without some value, in their order."""
    query = load_sql("queries/csv_warned")
    with client.query_row_block_stream(query, parameters={"origin": origin}) as blocks:
        for block in blocks:
            yield from map(tuple, block)


def with_messages(rows: Iterable[Row], warned: Iterator[Warned]) -> Iterator[Row]:
    """The rows of a report; those about a warning with its message and the value received.

    Args:
        rows: Line, outcome, code, field, message and value, in the order of the lines.
        warned: The texts of the lines with a warning, in the same order. Where a text was deleted, the row
            stays as it is.
    """
    line, told = 0, {}
    for row in rows:
        if row[1] != STORED:
            yield row
            continue
        while line < row[0] and (found := next(warned, None)) is not None:
            line, told = found[0], _tell(found)
        yield (*row[:4], *told[row[3]]) if line == row[0] and row[3] in told else row


def _tell(warned: Warned) -> dict[str, tuple[str, str]]:
    """The message and the value of each warning, by field."""
    _, received_at, body = warned
    record = read_record(body)
    if not isinstance(record, SentEvent):
        return {}
    receipt = Receipt(int(received_at.timestamp() * 1_000), 0)
    problems = find_problems(read_values(record), receipt)
    return {problem.field: (problem.message, problem.value) for problem in problems if is_warning(problem)}
