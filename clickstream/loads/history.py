"""What became of each CSV file, counted from the tables of the warehouse."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from clickhouse_connect.driver.client import Client

from clickstream.storage.sql import load_sql

PROBLEM_COLUMNS: Final = ("line", "outcome", "code", "field", "message", "value")


@dataclass(frozen=True, slots=True)
class Load:
    """What became of one file.

    Attributes:
        sha256: The hash of its bytes; its identity.
        name: The name under which it was loaded last; empty if it was loaded before names were kept.
        received: Its lines in `raw_events`, broken ones among them.
        last_line: The number of the last of them.
        first_received_at: When the first was received.
        last_received_at: When the last was received.
        stored: Events that are in the numbers.
        warned: Of these, events stored without an optional value.
        duplicate: Events whose id was stored before.
        same_content: Duplicates with the content of the stored event; None if no report was made.
        other_content: Duplicates with other content than the stored event; None if no report was made.
        reported_at: When the report was made; None if none was.
        quarantined: Events that were refused.
        replayed: Of these, events that were sent again.
        still_open: Refused events that were not sent again, and those that were refused once more.
        pending: Events that the next run of the pipeline takes.
        codes: How often each rule was broken, the most frequent first.
    """

    sha256: str
    name: str
    received: int
    last_line: int
    first_received_at: datetime
    last_received_at: datetime
    stored: int
    warned: int
    duplicate: int
    same_content: int | None
    other_content: int | None
    reported_at: datetime | None
    quarantined: int
    replayed: int
    still_open: int
    pending: int
    codes: tuple[tuple[str, int], ...]

    @property
    def lacks_report(self) -> bool:
        """Whether all its lines are processed, and no report tells what its duplicates are."""
        is_reported = self.reported_at is not None and self.reported_at >= self.last_received_at
        return self.pending <= 0 and not is_reported


def read_loads(client: Client, limit: int) -> tuple[Load, ...]:
    """The files that were loaded, the latest first."""
    return _read(client, "", limit)


def find_load(client: Client, sha256: str) -> Load | None:
    """What became of one file; None if no line of it was ever received."""
    return next(iter(_read(client, origin_of(sha256), 1)), None)


def origin_of(sha256: str) -> str:
    """The origin of a file's rows in `raw_events`."""
    return f"csv/{sha256}"


def stream_problems(client: Client, sha256: str) -> Iterator[tuple[Any, ...]]:
    """The refused lines of a file and those stored without some value: rows of `PROBLEM_COLUMNS` by line."""
    parameters = {"origin": origin_of(sha256)}
    with client.query_row_block_stream(load_sql("queries/csv_problems"), parameters=parameters) as blocks:
        for block in blocks:
            yield from map(tuple, block)


def _read(client: Client, origin: str, limit: int) -> tuple[Load, ...]:
    answer = client.query(
        load_sql("queries/csv_loads"), parameters={"origin": origin, "limit": limit}, tz_mode="aware"
    )
    return tuple(
        Load(codes=tuple(zip(codes, counts, strict=True)), **row)
        for row in answer.named_results()
        for codes, counts in [(row.pop("codes"), row.pop("code_counts"))]
    )
