"""The steps of `load_csv`: from a file to `raw_events`, or to `users`.

    inspect_file → load_file → report_load

The lines of a file are inserted in fixed chunks, each all or nothing and under a token of its own. Loading a
file again, or after a load that was killed, skips the chunks that are there.
"""

import gc
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from itertools import islice
from pathlib import Path
from typing import Any, Final

import msgspec
import pyarrow as pa
from clickhouse_connect.driver.client import Client

from clickstream.decode import explain_defect
from clickstream.errors import BadInputError
from clickstream.etl import journal
from clickstream.etl.journal import Run, announce, describe_codes, describe_rebuilt, to_manifest
from clickstream.etl.parallel import paused_garbage_collection
from clickstream.etl.run_lock import MARTS_LOCK, held_lock
from clickstream.privacy.people import ErasedPeople, read_erased_people
from clickstream.reasons import ErrorCode
from clickstream.settings import get_settings
from clickstream.sources.csv import CsvFile, CsvRecord, body_encoder, inspect_csv, open_text, read_records
from clickstream.sources.header import FileKind
from clickstream.sources.users import read_users
from clickstream.storage.client import Role, connect
from clickstream.storage.marts import rebuild_days
from clickstream.storage.progress import advance, processed_offset
from clickstream.storage.ranges import OffsetRange
from clickstream.storage.raw import RAW_SCHEMA, insert_raw, last_offset, note_file_name
from clickstream.storage.users import USERS_SCHEMA, days_of_new_users, insert_users, last_loaded_ms

PIPELINE: Final = "load_csv"
SOURCE: Final = "csv"
_USERS_ORIGIN: Final = "users"
"""Stands for the users in `etl_progress`; its offset is the time up to which the marts know them."""

_MAX_SHOWN_LINES: Final = 20
"""How many broken lines are named one by one in the log of a run."""

_MAX_CHUNK_CHARACTERS: Final = 32_000_000
"""Size at which a chunk is inserted though it has not all its lines: it must be one part in the database."""

Manifest = dict[str, Any]


class BrokenLine(msgspec.Struct):
    """A line that is not an event or user, whatever its fields say, or one stored without some value.

    Attributes:
        line: Its number.
        code: What it earns.
        message: What is wrong and what to do about it.
    """

    line: int
    code: str
    message: str = ""


class CsvLoad(msgspec.Struct):
    """What the blocks of one load hand on.

    Attributes:
        run: The record of the run; its `stored` are lines added now, its `duplicate` lines known before.
        file: What was found out about the file.
        broken_by_code: Broken lines by error code, among them those known before.
        broken_lines: The first of them.
        warned_by_code: Users stored without some value, by error code.
        warned_lines: The first of them.
        problem: Why reading ended before the end of the file; empty if it did not.
    """

    run: Run
    file: CsvFile
    broken_by_code: dict[str, int] = {}
    broken_lines: list[BrokenLine] = []
    warned_by_code: dict[str, int] = {}
    warned_lines: list[BrokenLine] = []
    problem: str = ""


@dataclass(slots=True)
class _Broken:
    """Counts broken lines and remembers the first ones."""

    by_code: dict[str, int] = field(default_factory=dict)
    lines: list[BrokenLine] = field(default_factory=list)

    def add(self, line: int, code: ErrorCode, text: str = "") -> None:
        self.by_code[code.value] = self.by_code.get(code.value, 0) + 1
        if len(self.lines) < _MAX_SHOWN_LINES:
            self.lines.append(BrokenLine(line, code.value, explain_defect(code, text)))


def inspect_file(path: str) -> Manifest:
    """Finds out what a file is, and says what is odd about its header.

    Raises:
        BadInputError: It is no CSV file of events or users.
    """
    run = journal.new_run(PIPELINE)
    journal.resume_run(run)
    file = inspect_csv(Path(path))
    announce(f"{Path(path).name}: {file.size_bytes:,} bytes of {file.kind}, {file.sha256[:12]}.")
    announce(f"Recognised: {', '.join(file.recognised)}.")
    for warning in file.warnings:
        announce(warning)
    return to_manifest(CsvLoad(run, file))


def load_file(manifest: Manifest) -> Manifest:
    """Loads every line once; broken ones are kept with their number and code, and stop no other.

    Raises:
        BadInputError: The file was changed since it was inspected.
        ClickstreamError: The same file is being loaded for a long time already.
    """
    settings = get_settings()
    load = msgspec.convert(manifest, CsvLoad)
    client = connect(settings.clickhouse, Role.WRITER)
    lock = f"{PIPELINE}-{load.file.sha256[:16]}"
    with held_lock(client, settings.etl_locks, lock), open_text(Path(load.file.path)) as text:
        if Path(load.file.path).stat().st_mtime_ns != load.file.modified_ns:
            raise BadInputError(
                f"{load.file.path} was changed while it was waiting to be loaded.", hint="Load it again."
            )
        journal.start_run(client, load.run)
        records = _until_broken_off(read_records(text, load.file), load)
        if load.file.kind is FileKind.USERS:
            _load_users(client, load, records, settings.etl.csv_chunk_rows)
        else:
            _load_events(client, load, records, settings.etl.csv_chunk_rows)
    return to_manifest(load)


def report_load(manifest: Manifest) -> Manifest:
    """Records what the load did and says so.

    Raises:
        BadInputError: The file ends in the middle; what came before that is loaded.
    """
    load = msgspec.convert(manifest, CsvLoad)
    client = connect(get_settings().clickhouse, Role.WRITER)
    for line in (*load.broken_lines, *load.warned_lines):
        announce(f"Line {line.line}: {line.code}. {line.message}")
    message = _summary(load)
    if load.problem:
        raise BadInputError(
            f"{load.problem} {message}", hint="Send the whole file again; no line counts twice."
        )
    journal.finish_run(client, load.run, message)
    announce(message)
    return {**to_manifest(load), "message": message}


def _until_broken_off(records: Iterator[CsvRecord], load: CsvLoad) -> Iterator[CsvRecord]:
    """The records up to the place where a packed file breaks off, which is noted."""
    try:
        yield from records
    except OSError as error:
        load.problem = f"{load.file.path} can't be unpacked to its end: {error}."


def _load_events(client: Client, load: CsvLoad, records: Iterator[CsvRecord], chunk_rows: int) -> None:
    origin = f"csv/{load.file.sha256}"
    note_file_name(client, origin, Path(load.file.path).name)
    # Lines that were deleted from raw after they were processed are known as well.
    known_until = max(last_offset(client, origin) or 0, processed_offset(client, origin) or 0)
    counts, broken = load.run.counts, _Broken()

    def new_records() -> Iterator[CsvRecord]:
        for record in records:
            counts.rows_in += 1
            if record.defect is not None:
                broken.add(record.line, record.defect, record.text)
            if record.line > known_until:
                yield record
            else:
                counts.duplicate += 1

    # One chunk is inserted while the next one is read; never two at once, since offsets must arrive in order.
    with paused_garbage_collection(), ThreadPoolExecutor(max_workers=1) as inserter:
        under_way: Future[None] | None = None
        for chunk in _chunks(new_records(), chunk_rows):
            table = _raw_table(origin, chunk, load.file.columns)
            if under_way is not None:
                under_way.result()
            token = f"{origin}:{chunk[0].line}-{chunk[-1].line}"
            under_way = inserter.submit(insert_raw, client, table, token)
            counts.stored += len(chunk)
            announce(f"{counts.stored:,} lines read.")
            chunk.clear()
            gc.collect()
        if under_way is not None:
            under_way.result()
    load.broken_by_code, load.broken_lines = broken.by_code, broken.lines


def _chunks(records: Iterator[CsvRecord], chunk_rows: int) -> Iterator[list[CsvRecord]]:
    """Cuts records into chunks, by number or by size; from the same record on always in the same way."""
    chunk: list[CsvRecord] = []
    characters = 0
    for record in records:
        chunk.append(record)
        characters += len(record.text) + sum(map(len, record.cells))
        if len(chunk) == chunk_rows or characters > _MAX_CHUNK_CHARACTERS:
            yield chunk
            chunk, characters = [], 0
    if chunk:
        yield chunk


def _raw_table(origin: str, chunk: list[CsvRecord], columns: tuple[str, ...]) -> pa.Table:
    """One chunk as rows of `RAW_SCHEMA`, all received at the same time: one partition, so all or nothing."""
    rows = len(chunk)
    received_at_ms = int(datetime.now(UTC).timestamp() * 1_000)
    encode = body_encoder(columns)
    bodies = [encode(record.cells) if record.defect is None else record.text.encode() for record in chunk]
    defects = [record.defect.value if record.defect else "" for record in chunk]
    arrays: dict[str, pa.Array[Any]] = {
        "source": pa.repeat(SOURCE, rows),
        "origin": pa.repeat(origin, rows),
        "offset": pa.array([record.line for record in chunk], pa.uint64()),
        "item": pa.repeat(0, rows),
        "received_at": pa.repeat(received_at_ms, rows),
        "body": pa.array(bodies, pa.binary()).view(pa.string()),
        "defect": pa.array(defects) if any(defects) else pa.repeat("", rows),
        "replay_of": pa.repeat("", rows),
    }
    return pa.table([arrays[field.name].cast(field.type) for field in RAW_SCHEMA], schema=RAW_SCHEMA)


def _load_users(client: Client, load: CsvLoad, records: Iterator[CsvRecord], chunk_rows: int) -> None:
    broken, warned = _Broken(), _Broken()

    def users(erased_people: ErasedPeople) -> Iterator[dict[str, object]]:
        for read in read_users(records, load.file.columns):
            load.run.counts.rows_in += 1
            if read.user is not None and read.user["id"] in erased_people:
                load.run.counts.erased += 1
                continue
            if read.problem is not None:
                (broken if read.user is None else warned).add(read.line, read.problem.code, read.text)
            if read.user is not None:
                yield read.user

    settings = get_settings()
    with held_lock(client, settings.etl_locks, MARTS_LOCK):
        new = users(read_erased_people(client, settings))
        while chunk := list(islice(new, chunk_rows)):
            written = insert_users(client, pa.Table.from_pylist(chunk, schema=USERS_SCHEMA))
            load.run.counts.stored += written
            load.run.counts.duplicate += len(chunk) - written
        load.run.days = _bring_countries_to_marts(client)
    load.warned_by_code, load.warned_lines = warned.by_code, warned.lines
    load.broken_by_code, load.broken_lines = broken.by_code, broken.lines


def _bring_countries_to_marts(client: Client) -> list[date]:
    """Rebuilds the marts of the days of new and changed users, since they count by country.

    What is done is noted as progress, so that the next load does what a killed one left.
    """
    done_ms, last_ms = processed_offset(client, _USERS_ORIGIN) or 0, last_loaded_ms(client)
    days = days_of_new_users(client, done_ms)
    rebuild_days(client, days)
    advance(client, [OffsetRange(_USERS_ORIGIN, done_ms, last_ms)])
    return days


def _warned(load: CsvLoad) -> str:
    if not load.warned_by_code:
        return ""
    codes = describe_codes(load.warned_by_code)
    return f", {sum(load.warned_by_code.values()):,} written without a value ({codes})"


def _summary(load: CsvLoad) -> str:
    counts = load.run.counts
    broken = sum(load.broken_by_code.values())
    codes = f" ({describe_codes(load.broken_by_code)})" if broken else ""
    seconds = (datetime.now(UTC) - load.run.started_at).total_seconds()
    if load.file.kind is FileKind.USERS:
        erased = f", {counts.erased:,} erased people left out" if counts.erased else ""
        return (
            f"{counts.stored:,} users written, {counts.duplicate:,} known already{erased}, {broken:,} broken "
            f"lines left out{codes}{_warned(load)}; "
            f"{describe_rebuilt(len(load.run.days))} in {seconds:.1f} s."
        )
    kept = f"; {broken:,} of them can't be read and are kept{codes}" if broken else ""
    known = " The file was loaded before; nothing was added." if counts.rows_in and not counts.stored else ""
    return (
        f"{counts.rows_in:,} lines: {counts.stored:,} added, {counts.duplicate:,} known already{kept}, "
        f"in {seconds:.1f} s.{known}"
    )
