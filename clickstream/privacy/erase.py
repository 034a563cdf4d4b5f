"""The erasure of a person: a run that can be killed at any point and run again.

It holds the lock of `process_events` throughout, so no event of the person is processed. First the
person is put on the list of erased people; from then on the ETL drops whatever comes. Then the coordinates of
their rows are noted, so that the ledger still balances, and the rows are removed from disk. The user id is
written nowhere: not into Mage, not into logs, not into statements that the database keeps.
"""

import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from typing import Any, Final

import pyarrow as pa
from clickhouse_connect.driver.client import Client

from clickstream.etl import journal, replay
from clickstream.etl.journal import Run, describe_rebuilt
from clickstream.etl.judging import judge
from clickstream.etl.parsing import parse_events
from clickstream.etl.run_lock import MARTS_LOCK, held_lock
from clickstream.privacy.broker import held_by_broker
from clickstream.privacy.files import files_that_hold, remove_staged_rows
from clickstream.privacy.find import Holdings, find_person, mart_days
from clickstream.privacy.people import add_erased_person
from clickstream.privacy.receipt import Receipt, Remains, Removed, Verified, encode_receipt
from clickstream.settings import Settings
from clickstream.storage.client import Role, connect
from clickstream.storage.erasures import (
    ERASED_SCHEMA,
    ErasureRecord,
    delete_erased,
    delete_stored_duplicates,
    delete_user,
    detached_parts,
    drop_old_parts,
    erased_by_fate,
    insert_erased,
    known_coordinates,
    orphaned_duplicates,
    read_erasures,
    record_erasure,
    remove_masked_rows,
)
from clickstream.storage.events import insert_events
from clickstream.storage.marts import rebuild_days

PIPELINE: Final = "erase_user"

_WAIT_FOR_READERS_SECONDS: Final = 60.0
_TABLE_OF_FATE: Final = {
    "stored": "events",
    "duplicate": "duplicate_events",
    "quarantined": "quarantined_events",
}

Tell = Callable[[str], None]
"""Told what the run does now, one sentence each."""


@dataclass(slots=True)
class _Erasure:
    """One erasure under way."""

    client: Client
    settings: Settings
    user_id: int
    record: ErasureRecord
    run: Run
    removed: dict[str, Removed] = field(default_factory=dict)

    def note_days(self, days: Iterable[date]) -> None:
        """Notes days whose marts have to be rebuilt, before what they count is removed."""
        self.record = replace(self.record, days=tuple(sorted({*self.record.days, *days})))
        record_erasure(self.client, self.record)


def erase_user(settings: Settings, user_id: int, tell: Tell = lambda _sentence: None) -> Receipt:
    """Erases a person, and finishes an erasure of them that was killed.

    Args:
        settings: Where everything is.
        user_id: The person.
        tell: Told what is being done.

    Raises:
        ClickstreamError: ClickHouse is away, a run of a pipeline does not end, or the secret is another one.
    """
    locks = settings.etl_locks
    client = connect(settings.clickhouse, Role.WRITER)
    with held_lock(client, locks, MARTS_LOCK), held_lock(client, locks, replay.PIPELINE):
        erasure = _begin(client, settings, user_id)
        try:
            return _erase(erasure, tell)
        except Exception:
            # The database may be what failed; the error that is raised says it.
            if client.ping():
                journal.fail_open_runs(client, "It failed; the same command finishes it.")
            raise


def _begin(client: Client, settings: Settings, user_id: int) -> _Erasure:
    now = datetime.now(UTC)
    user_hash = add_erased_person(client, settings, user_id, now)
    unfinished = [one for one in read_erasures(client, user_hash=user_hash) if one.finished_at is None]
    record = unfinished[0] if unfinished else ErasureRecord(uuid.uuid4().hex, user_hash, now)
    record_erasure(client, record)
    run = Run(run_id=record.run_id, pipeline=PIPELINE, started_at=record.started_at)
    journal.close_dead_runs(client, run)
    journal.start_run(client, run)
    return _Erasure(client, settings, user_id, record, run)


def _erase(erasure: _Erasure, tell: Tell) -> Receipt:
    client, settings = erasure.client, erasure.settings
    tell("Looking for what is held of this person.")
    holdings = find_person(client, erasure.user_id)
    staged = remove_staged_rows(settings)
    _note_coordinates(erasure, holdings)
    tell(f"Removing {len(holdings.events):,} received events.")
    delete_erased(client)
    delete_user(client, erasure.user_id)
    remove_masked_rows(client)
    promoted = _promote_duplicates(erasure)
    tell(f"Rebuilding the marts of {len(erasure.record.days):,} days.")
    rebuild_days(client, erasure.record.days)
    tell("Removing old parts from disk.")
    old_parts = drop_old_parts(client, _WAIT_FOR_READERS_SECONDS)
    tell("Verifying.")
    removed = _list_removed(erasure, staged, promoted)
    verified = _verify(erasure, old_parts)
    finished_at = datetime.now(UTC)
    remains = [*_remaining_files(erasure), *held_by_broker(settings.broker, finished_at)]
    receipt = Receipt(
        erasure.record.run_id, erasure.record.started_at, finished_at, removed, verified, remains
    )
    _finish(erasure, receipt)
    return receipt


def _note_coordinates(erasure: _Erasure, holdings: Holdings) -> None:
    """Notes the days to rebuild and the rows to remove; those that a killed run noted stay as they are."""
    users = max(erasure.record.users, int(holdings.user is not None))
    erasure.record = replace(erasure.record, users=users)
    erasure.note_days(holdings.days)
    known = known_coordinates(erasure.client, "queries/erased_coordinates", sorted(holdings.events))
    rows: list[dict[str, Any]] = [
        {
            "source": event.source,
            "origin": origin,
            "offset": offset,
            "item": item,
            "received_date": event.received_at.astimezone(UTC).date(),
            "fate": event.fate,
            "run_id": erasure.record.run_id,
        }
        for (origin, offset, item), event in holdings.events.items()
        if (origin, offset, item) not in known
    ]
    insert_erased(erasure.client, pa.Table.from_pylist(rows, schema=ERASED_SCHEMA))


def _promote_duplicates(erasure: _Erasure) -> int:
    """Stores events of other people that were duplicates of the erased person's only because of their id."""
    client = erasure.client
    orphans = orphaned_duplicates(client)
    if orphans.num_rows:
        allowed_ms = erasure.settings.etl.future_allowed_seconds * 1_000
        events = parse_events(judge(orphans, allowed_ms).valid)
        days: list[Any] = events["created_at"].cast(pa.date32()).to_pylist()
        erasure.note_days(days)
        insert_events(client, events)
    delete_stored_duplicates(client)
    return orphans.num_rows


def _list_removed(erasure: _Erasure, staged: int, promoted: int) -> list[Removed]:
    by_fate = erased_by_fate(erasure.client, erasure.record.run_id)
    days = len(erasure.record.days)
    removed = [Removed("raw_events", sum(by_fate.values()), "received events, as they were sent")]
    removed += [Removed(table, by_fate.get(fate, 0), "rows") for fate, table in _TABLE_OF_FATE.items()]
    removed += [
        Removed("users", erasure.record.users, "rows"),
        Removed("marts and summaries", days, f"{'day' if days == 1 else 'days'} rebuilt without the person"),
        Removed("staged files", staged, "files of unfinished runs"),
    ]
    if promoted:
        removed.append(Removed("events", promoted, "events of others stored that had the same id"))
    return removed


def _verify(erasure: _Erasure, old_parts: int) -> list[Verified]:
    """Looks at the database once more, as if nothing had been done."""
    client = erasure.client
    left = find_person(client, erasure.user_id)
    return [
        Verified("no received, stored, duplicate or quarantined event names the person", len(left.events)),
        Verified("the table users has no row of the person", int(left.user is not None)),
        Verified("no mart counts the person", len(mart_days(client, erasure.user_id))),
        Verified("no row is only marked as deleted", len(remove_masked_rows(client))),
        Verified("no replaced part of a table is left on disk", old_parts),
        Verified("no part of a table was put aside by hand", sum(detached_parts(client).values())),
    ]


def _remaining_files(erasure: _Erasure) -> list[Remains]:
    return [
        Remains(str(file.path), f"{file.lines:,} lines name the person. Delete the file, or these lines.")
        for file in files_that_hold(erasure.settings, erasure.user_id)
    ]


def _finish(erasure: _Erasure, receipt: Receipt) -> None:
    """Records the receipt last: an erasure without one is not finished."""
    erasure.record = replace(erasure.record, finished_at=receipt.finished_at, receipt=encode_receipt(receipt))
    erasure.run.days = list(erasure.record.days)
    events = receipt.removed[0].count
    erasure.run.counts.rows_in = erasure.run.counts.erased = events
    verified = "verified" if receipt.is_verified else "NOT verified"
    rebuilt = describe_rebuilt(len(erasure.run.days))
    message = f"{events:,} received events of a person erased, {rebuilt}; {verified}."
    journal.finish_run(erasure.client, erasure.run, message)
    record_erasure(erasure.client, erasure.record)
