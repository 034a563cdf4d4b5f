"""The steps of `process_events`: from raw rows to clean events and marts, in the order of the blocks.

    stage_raw_events → validate_events → store_quarantined_events → parse_payload → store_events
    → build_marts → finish_run

Rows lie in files between the steps (`Staging`); what goes from block to block is a manifest, the dictionary
of a `ProcessRun`. Progress is written last, so that a run that dies is done again by the next one: what it
stored already is found by its coordinates and not stored twice.
"""

from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from functools import partial
from math import ceil
from typing import Any, Final, Self

import msgspec
import pyarrow as pa
import pyarrow.compute as pc
from clickhouse_connect.driver.client import Client

from clickstream.etl import journal
from clickstream.etl.device_memory import DeviceMemory
from clickstream.etl.journal import Run, RunCounts, announce, describe_codes, describe_rebuilt, to_manifest
from clickstream.etl.judging import judge, merge_outcomes
from clickstream.etl.parallel import map_batches
from clickstream.etl.parsing import parse_events
from clickstream.etl.run_lock import MARTS_LOCK, held_lock
from clickstream.etl.staging import Staging
from clickstream.event.agents import prepare_lists
from clickstream.privacy.late import erase_late, split_erased
from clickstream.privacy.people import read_erased_people
from clickstream.settings import EtlSettings, Settings, get_settings
from clickstream.storage import events as event_storage
from clickstream.storage.client import Role, connect
from clickstream.storage.events import COORDINATES_SCHEMA, DUPLICATES_SCHEMA, EVENTS_SCHEMA
from clickstream.storage.marts import rebuild_days
from clickstream.storage.progress import advance
from clickstream.storage.quarantine import insert_quarantined, known_quarantined
from clickstream.storage.ranges import OffsetRange
from clickstream.storage.raw import pending_ranges, read_raw
from clickstream.storage.runs import ExpectationRecord, record_expectations
from clickstream.validation import ExpectationOutcome, prepare_suites

PIPELINE: Final = "process_events"

Manifest = dict[str, Any]


class ProcessRun(msgspec.Struct):
    """What the blocks of one run hand on.

    Attributes:
        run: The record of the run, with what was counted so far.
        ranges: The raw rows that it takes.
        batches: Into how many files they are cut.
        outcomes: What each expectation found.
    """

    run: Run
    ranges: list[OffsetRange] = []
    batches: int = 0
    outcomes: list[ExpectationOutcome] = []


def stage_raw_events() -> Manifest:
    """Takes the raw rows past the progress, oldest received first, and stages them as files.

    Returns:
        The manifest of the run; with no ranges where there is nothing to do.
    """
    settings = get_settings()
    client = connect(settings.clickhouse, Role.WRITER)
    with held_lock(client, settings.etl_locks, MARTS_LOCK):
        process = ProcessRun(journal.new_run(PIPELINE))
        # At each look, so that dead runs of pipelines that nobody starts again are told as well.
        journal.close_dead_runs(client, process.run)
        process.ranges = pending_ranges(client, settings.etl.max_rows_per_run)
        if not process.ranges:
            announce("No raw event is waiting.")
            return to_manifest(process)
        staging = _staging(settings, process)
        staging.create()
        journal.start_run(client, process.run)
        with process.run.timed("load_raw_events"):
            _stage_batches(client, settings, process, staging)
    announce(f"{process.run.counts.rows_in:,} raw events from {len(process.ranges)} origins.")
    return to_manifest(process)


def _stage_batches(client: Client, settings: Settings, process: ProcessRun, staging: Staging) -> None:
    """Stages the run's rows but for those of erased people, which are removed at once."""
    erased_people = read_erased_people(client, settings)
    batch_rows = even_batch_rows(sum(part.rows for part in process.ranges), settings.etl)
    counts, erased = process.run.counts, []
    for table in read_raw(client, process.ranges, batch_rows):
        kept, of_erased_people = split_erased(table, erased_people)
        erased.append(of_erased_people)
        counts.rows_in += table.num_rows
        if kept.num_rows:
            staging.write(f"raw-{process.batches}", kept)
            process.batches += 1
    counts.erased = erase_late(client, pa.concat_tables(erased), process.run.run_id) if erased else 0


def even_batch_rows(rows: int, settings: EtlSettings) -> int:
    """How many rows each batch gets, so that all workers end at the same time.

    Args:
        rows: All rows of the run.
        settings: How many rows a batch may have at most, and how many batches are worked on at once.
    """
    batches = ceil(rows / settings.batch_rows)
    if batches <= 1:
        return settings.batch_rows
    return ceil(rows / (ceil(batches / settings.workers) * settings.workers))


def validate_events(manifest: Manifest) -> Manifest:
    """Lets Great Expectations decide row by row, and splits each batch into valid and quarantined rows."""

    def work(process: ProcessRun, staging: Staging, client: Client) -> None:  # noqa: ARG001
        settings = get_settings().etl
        counts = process.run.counts
        counts.quarantined, counts.quarantined_by_code = 0, {}
        counts.warned, counts.warned_by_code = 0, {}
        prepare_suites()
        step = partial(_judge_batch, staging, settings.future_allowed_seconds * 1_000)
        outcomes = []
        for judged in map_batches(step, process.batches, settings.workers):
            counts.quarantined += judged.quarantined
            counts.warned += judged.warned
            counts.add_codes(judged.codes, judged.warnings)
            outcomes.append(judged.outcomes)
            announce(f"Batch {len(outcomes)} of {process.batches}: {judged.valid:,} valid.")
        process.outcomes = merge_outcomes(outcomes)

    return _continue(manifest, "validate_events", work)


@dataclass(frozen=True, slots=True)
class _Judged:
    """What is known of a batch once it is split."""

    valid: int
    warned: int
    warnings: list[str]
    quarantined: int
    codes: list[str]
    outcomes: list[ExpectationOutcome]


def _judge_batch(staging: Staging, allowed_ms: int, batch: int) -> _Judged:
    judgement = judge(staging.read(f"raw-{batch}"), allowed_ms)
    staging.write(f"valid-{batch}", judgement.valid)
    staging.write(f"quarantined-{batch}", judgement.quarantined)
    codes: list[Any] = pc.list_flatten(judgement.quarantined["reasons"]).to_pylist()
    warnings: list[Any] = pc.list_flatten(judgement.valid["warnings"]).to_pylist()
    warnings_by_row = pc.list_value_length(judgement.valid["warnings"]).to_pylist()
    return _Judged(
        judgement.valid.num_rows,
        sum(map(bool, warnings_by_row)),
        warnings,
        judgement.quarantined.num_rows,
        codes,
        judgement.outcomes,
    )


def store_quarantined_events(manifest: Manifest) -> Manifest:
    """Keeps the invalid rows with their codes in `quarantined_events`."""

    def work(process: ProcessRun, staging: Staging, client: Client) -> None:
        known = _coordinates(known_quarantined(client, process.ranges))
        for batch in range(process.batches):
            insert_quarantined(client, _without(staging.read(f"quarantined-{batch}"), known))
        announce(f"{process.run.counts.quarantined:,} quarantined.")

    return _continue(manifest, "store_quarantined_events", work)


def parse_payload(manifest: Manifest) -> Manifest:
    """Parses the valid rows into the columns of `events`: payload fields, URL parts, device type."""

    def work(process: ProcessRun, staging: Staging, client: Client) -> None:  # noqa: ARG001
        settings = get_settings()
        prepare_lists()
        devices = DeviceMemory(settings.stack.data_path / "etl" / "device_types.sqlite")
        step = partial(_parse_batch, staging, devices)
        events = sum(map_batches(step, process.batches, settings.etl.workers))
        announce(f"{events:,} events parsed.")

    return _continue(manifest, "parse_payload", work)


def _parse_batch(staging: Staging, devices: DeviceMemory, batch: int) -> int:
    events = parse_events(staging.read(f"valid-{batch}"), devices)
    staging.write(f"events-{batch}", events)
    return events.num_rows


def store_events(manifest: Manifest) -> Manifest:
    """Stores each event once, and records the rows whose id is stored under another coordinate."""

    def work(process: ProcessRun, staging: Staging, client: Client) -> None:
        known = _coordinates(event_storage.known_duplicates(client, process.ranges))
        days: set[date] = set()
        process.run.counts.stored = process.run.counts.duplicate = 0
        batch = _Split.nothing()
        # One batch is inserted while the next one is looked up; never two at once, since the first one stays.
        with ThreadPoolExecutor(max_workers=1) as inserter:
            under_way: Future[None] | None = None
            for number in range(process.batches):
                events = staging.read(f"events-{number}")
                batch = _split_batch(client, events, batch.owners)
                if under_way is not None:
                    under_way.result()
                under_way = inserter.submit(_store_batch, client, batch, known)
                process.run.counts.stored += events.num_rows - batch.duplicates.num_rows
                process.run.counts.duplicate += batch.duplicates.num_rows
                batch_days: list[Any] = pc.unique(events["created_at"].cast(pa.date32())).to_pylist()
                days.update(batch_days)
            if under_way is not None:
                under_way.result()
        process.run.days = sorted(days)
        announce(f"{process.run.counts.stored:,} stored, {process.run.counts.duplicate:,} duplicate.")

    return _continue(manifest, "store_events", work)


def build_marts(manifest: Manifest) -> Manifest:
    """Rebuilds every mart for the days of the run's events."""

    def work(process: ProcessRun, staging: Staging, client: Client) -> None:  # noqa: ARG001
        rebuild_days(client, process.run.days)
        announce(f"{describe_rebuilt(len(process.run.days))}.")

    return _continue(manifest, "build_marts", work)


def finish_run(manifest: Manifest) -> Manifest:
    """Moves the progress past the run's rows, records the run and removes its files."""

    def work(process: ProcessRun, staging: Staging, client: Client) -> None:
        advance(client, process.ranges)
        record_expectations(client, _expectation_records(process))
        journal.finish_run(client, process.run, _summary(process))
        staging.remove()

    finished = _continue(manifest, "finish_run", work)
    process = msgspec.convert(finished, ProcessRun)
    message = _summary(process) if process.ranges else "No raw event was waiting."
    announce(message)
    return {**finished, "message": message}


def fail_run(pipeline: str, block: str, error: object) -> None:
    """Records that what this process was doing has failed, also where a block failed before it did anything.

    Args:
        pipeline: The pipeline whose block failed.
        block: The block.
        error: What it raised.
    """
    client = connect(get_settings().clickhouse, Role.WRITER)
    message = f"{block}: {journal.describe_error(error)}"
    failed = journal.fail_open_runs(client, message)
    if not failed:
        failed = [journal.fail_new_run(client, pipeline, message)]
    for run in failed:
        announce(f"{run.pipeline} failed: {message}")


@dataclass(frozen=True, slots=True)
class _Split:
    """The events of one batch.

    Attributes:
        new: Those whose id is not stored.
        duplicates: Those whose id is stored under another coordinate, as rows of `DUPLICATES_SCHEMA`.
        owners: The coordinate under which each id is or will be stored.
    """

    new: pa.Table
    duplicates: pa.Table
    owners: Mapping[int, tuple[str, int, int]]

    @classmethod
    def nothing(cls) -> Self:
        """What comes before the first batch."""
        return cls(EVENTS_SCHEMA.empty_table(), DUPLICATES_SCHEMA.empty_table(), {})


def _split_batch(client: Client, events: pa.Table, under_way: Mapping[int, tuple[str, int, int]]) -> _Split:
    """Looks up which events are stored.

    What a run that died has stored is neither new nor a duplicate.

    Args:
        client: A connection.
        events: One batch.
        under_way: The owners of the batch before, which need not be stored yet.
    """
    found = event_storage.find_stored(client, pc.unique(events["id"]))
    found_ids: list[Any] = found["id"].to_pylist()
    owners = dict(zip(found_ids, _coordinate_list(found), strict=True))
    is_new, is_duplicate = [], []
    ids: list[Any] = events["id"].to_pylist()
    for event_id, coordinate in zip(ids, _coordinate_list(events), strict=True):
        owner = owners.get(event_id) or under_way.get(event_id)
        is_new.append(owner is None)
        is_duplicate.append(owner is not None and owner != coordinate)
        owners.setdefault(event_id, owner or coordinate)
    return _Split(
        events.filter(pa.array(is_new, pa.bool_())),
        events.filter(pa.array(is_duplicate, pa.bool_())).select(DUPLICATES_SCHEMA.names),
        owners,
    )


def _store_batch(client: Client, batch: _Split, known: set[tuple[str, int, int]]) -> None:
    """Stores the new events, and the duplicates but for those that a run which died has recorded."""
    event_storage.insert_events(client, batch.new)
    event_storage.insert_duplicates(client, _without(batch.duplicates, known))


def _coordinate_list(table: pa.Table) -> list[tuple[str, int, int]]:
    return list(zip(*(table[name].to_pylist() for name in COORDINATES_SCHEMA.names), strict=True))


def _coordinates(table: pa.Table) -> set[tuple[str, int, int]]:
    return set(_coordinate_list(table))


def _without(table: pa.Table, known: set[tuple[str, int, int]]) -> pa.Table:
    """The rows whose coordinates are not known yet."""
    if not known:
        return table
    return table.filter(
        pa.array([coordinate not in known for coordinate in _coordinate_list(table)], pa.bool_())
    )


def _continue(manifest: Manifest, step: str, work: Callable[[ProcessRun, Staging, Client], None]) -> Manifest:
    """Does one step of a run, in whatever process, under the lock.

    Where the files of the run are gone, another run has done its work (or it had none): nothing is done.
    """
    settings = get_settings()
    process = msgspec.convert(manifest, ProcessRun)
    if not process.ranges:
        return manifest
    staging = _staging(settings, process)
    client = connect(settings.clickhouse, Role.WRITER)
    with held_lock(client, settings.etl_locks, MARTS_LOCK):
        if not staging.exists:
            announce("Another run has taken over; nothing is left to do here.")
            return manifest
        journal.resume_run(process.run)
        with process.run.timed(step):
            work(process, staging, client)
    return to_manifest(process)


def _expectation_records(process: ProcessRun) -> list[ExpectationRecord]:
    now = datetime.now(UTC)
    return [ExpectationRecord(process.run.run_id, now, **asdict(outcome)) for outcome in process.outcomes]


def _summary(process: ProcessRun) -> str:
    counts = process.run.counts
    codes = describe_codes(counts.quarantined_by_code)
    seconds = (datetime.now(UTC) - process.run.started_at).total_seconds()
    return (
        f"{counts.rows_in:,} received: {counts.stored:,} stored, {counts.duplicate:,} duplicate, "
        f"{counts.quarantined:,} quarantined{f' ({codes})' if codes else ''}{_erased(counts.erased)}"
        f"{_warned(counts)}; "
        f"{describe_rebuilt(len(process.run.days))} in {seconds:.1f} s."
    )


def _warned(counts: RunCounts) -> str:
    if not counts.warned:
        return ""
    return f"; {counts.warned:,} valid but without some value ({describe_codes(counts.warned_by_code)})"


def _erased(events: int) -> str:
    return f", {events:,} of erased people removed" if events else ""


def _staging(settings: Settings, process: ProcessRun) -> Staging:
    return Staging(settings.stack.data_path / "etl" / "staging", process.run.run_id)
