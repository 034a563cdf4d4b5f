"""The steps of `replay_quarantine`: quarantined events, fixed or as they are, once more into `raw_events`.

    select_quarantined → replay_events

A replayed row names the row that it repeats (`replay_of`); by that, a replay that was killed half-way and is
done again sends nothing twice.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import msgspec
import pyarrow as pa
from clickhouse_connect.driver.client import Client

from clickstream.errors import BadInputError
from clickstream.etl import journal
from clickstream.etl.journal import Run, announce, to_manifest
from clickstream.etl.quarantine_file import Coordinate, is_edited, read_fixed_rows
from clickstream.etl.run_lock import held_lock
from clickstream.etl.staging import Staging
from clickstream.event.clocks import settle_clock
from clickstream.reasons import RECORD_CODES, ErrorCode
from clickstream.settings import Settings, get_settings
from clickstream.sources.broker import ValueItem, split_value
from clickstream.storage.client import Role, connect
from clickstream.storage.quarantine import QUARANTINED_SCHEMA, QuarantineFilter, mark_replayed, unreplayed
from clickstream.storage.raw import (
    RAW_SCHEMA,
    REPLAY_ORIGIN,
    content_token,
    insert_raw,
    known_replays,
    reached_offset,
)

PIPELINE: Final = "replay_quarantine"
SOURCE: Final = "replay"
_FIXES_SCHEMA: Final = QUARANTINED_SCHEMA.append(pa.field("fixed_body", pa.string()))

Manifest = dict[str, Any]


class Replay(msgspec.Struct):
    """What the blocks of one replay hand on.

    Attributes:
        run: The record of the run; its `stored` are rows sent again.
        batches: Into how many files the rows are cut.
        not_found: Rows of the fixed file that are not in quarantine, or were replayed before.
        ignored_bodies: Rows of the fixed file whose body was edited beside fields, which are sent instead.
    """

    run: Run
    batches: int = 0
    not_found: int = 0
    ignored_bodies: int = 0


def select_quarantined(
    code: str, source: str, fixed_file: str, origin: str = "", session: str = ""
) -> Manifest:
    """Chooses the rows to send again, none of which was before.

    Args:
        code: Only rows with this error code; empty for any.
        source: Only rows that came this way; empty for any.
        fixed_file: Only rows of this file, with the fields that stand there; empty for rows as they are.
        origin: Only rows that were first read from this file (`csv/<sha256>`) or partition; empty for any.
        session: Only rows of this session; empty for any.

    Raises:
        BadInputError: The code is unknown, or the file cannot be used.
    """
    settings = get_settings()
    replay = Replay(journal.new_run(PIPELINE))
    # A refusal is then recorded as a failed run, which people see.
    journal.resume_run(replay.run)
    wanted = QuarantineFilter(code=_parse_code(code), source=source or None, origin=origin, session=session)
    rows = read_fixed_rows(Path(fixed_file)) if fixed_file else []
    fixes = {row.coordinate: row.new_body for row in rows} if fixed_file else None
    unsent = {row.coordinate: row.body for row in rows if row.fields}
    staging = _staging(settings, replay)
    client = connect(settings.clickhouse, Role.WRITER)
    with held_lock(client, settings.etl_locks, PIPELINE):
        journal.close_dead_runs(client, replay.run)
        journal.start_run(client, replay.run)
        staging.create()
        for batch in unreplayed(client, wanted):
            chosen = _with_fixes(batch, fixes)
            if chosen.num_rows:
                staging.write(f"chosen-{replay.batches}", chosen)
                replay.batches += 1
                replay.run.counts.rows_in += chosen.num_rows
                replay.ignored_bodies += _count_edited(chosen, unsent)
    replay.not_found = len(fixes) - replay.run.counts.rows_in if fixes is not None else 0
    announce(f"{replay.run.counts.rows_in:,} quarantined events chosen.")
    return to_manifest(replay)


def replay_events(manifest: Manifest) -> Manifest:
    """Appends the chosen rows to `raw_events` and marks them as replayed."""
    settings = get_settings()
    replay = msgspec.convert(manifest, Replay)
    staging = _staging(settings, replay)
    client = connect(settings.clickhouse, Role.WRITER)
    with held_lock(client, settings.etl_locks, PIPELINE):
        if not staging.exists:
            announce("Another run has taken over; nothing is left to do here.")
            return manifest
        journal.resume_run(replay.run)
        replay.run.counts.stored = sum(
            _replay_batch(client, staging.read(f"chosen-{number}")) for number in range(replay.batches)
        )
        message = _summary(replay)
        journal.finish_run(client, replay.run, message)
        staging.remove()
    announce(message)
    return {**to_manifest(replay), "message": message}


def _replay_batch(client: Client, chosen: pa.Table) -> int:
    """Sends one batch again, but for rows that a killed run has sent; returns how many rows are in raw now.

    Offsets go on from the last one that any table knows: what lies behind the progress of the origin is never
    looked at again, and raw alone may have lost its last rows.
    """
    names = [_name(coordinate) for coordinate in _coordinates(chosen)]
    reached = reached_offset(client, REPLAY_ORIGIN)
    first_offset = 0 if reached is None else reached + 1
    rows = _raw_rows(chosen, known_replays(client, names), first_offset)
    insert_raw(client, rows, content_token(REPLAY_ORIGIN, rows))
    sent = known_replays(client, names)
    is_sent = pa.array([name in sent for name in names], pa.bool_())
    mark_replayed(client, chosen.filter(is_sent), datetime.now(UTC))
    return len(sent)


def _parse_code(code: str) -> ErrorCode | None:
    if not code:
        return None
    try:
        return ErrorCode(code)
    except ValueError:
        codes = ", ".join(ErrorCode)
        raise BadInputError(f"{code!r} is not an error code.", hint=f"Give one of {codes}.") from None


def _coordinates(table: pa.Table) -> Iterator[Coordinate]:
    columns: list[list[Any]] = [table[name].to_pylist() for name in ("origin", "offset", "item")]
    return zip(*columns, strict=True)


def _name(coordinate: Coordinate) -> str:
    return ":".join(map(str, coordinate))


def _with_fixes(batch: pa.Table, fixes: dict[Coordinate, str] | None) -> pa.Table:
    """The rows of a batch with their new bodies; of a fixed file only the rows that it names."""
    if fixes is None:
        return batch.append_column(_FIXES_SCHEMA.field("fixed_body"), pa.nulls(batch.num_rows, pa.string()))
    bodies = [fixes.get(coordinate) for coordinate in _coordinates(batch)]
    fixed = batch.append_column(_FIXES_SCHEMA.field("fixed_body"), pa.array(bodies, pa.string()))
    return fixed.filter(fixed["fixed_body"].is_valid())


def _count_edited(chosen: pa.Table, unsent: dict[Coordinate, str]) -> int:
    """How many of the bodies that are not sent differ from those of their rows."""
    originals: list[Any] = chosen["body"].to_pylist()
    return sum(
        is_edited(unsent.get(coordinate, original), original)
        for coordinate, original in zip(_coordinates(chosen), originals, strict=True)
    )


def _raw_rows(chosen: pa.Table, known: set[str], first_offset: int) -> pa.Table:
    """The rows to append: one for each quarantined row, or for each event of an array that one holds."""
    received_at_ms = int(datetime.now(UTC).timestamp() * 1_000)
    rows: list[dict[str, Any]] = []
    offset = first_offset
    for coordinate, row in zip(_coordinates(chosen), chosen.to_pylist(), strict=True):
        if _name(coordinate) in known:
            continue
        for number, item in enumerate(_items(row["body"], row["fixed_body"], ErrorCode(row["reasons"][0]))):
            rows.append(
                {
                    "source": SOURCE,
                    "origin": REPLAY_ORIGIN,
                    "offset": offset,
                    "item": number,
                    "received_at": received_at_ms,
                    "body": settle_clock(item.text.decode(), int(row["received_at"].timestamp() * 1_000)),
                    "defect": item.defect.value if item.defect else "",
                    "replay_of": _name(coordinate),
                }
            )
        offset += 1
    return pa.Table.from_pylist(rows, schema=RAW_SCHEMA)


def _items(body: str, fixed_body: str | None, code: ErrorCode) -> Sequence[ValueItem]:
    """The events of a quarantined row; where nobody fixed it, what could not be read keeps its defect."""
    sent = body if fixed_body is None else fixed_body
    if sent == body and code in RECORD_CODES - {ErrorCode.INVALID_JSON, ErrorCode.NOT_AN_OBJECT}:
        return [ValueItem(body.encode(), code)]
    # An empty array holds no event; it stays what it is.
    return split_value(sent.encode()) or [ValueItem(sent.encode())]


def _summary(replay: Replay) -> str:
    missing = f" {replay.not_found:,} of the file are not in quarantine." if replay.not_found else ""
    ignored = _say_ignored(replay.ignored_bodies) if replay.ignored_bodies else ""
    waiting = " `process_events` takes them next." if replay.run.counts.stored else ""
    return f"{replay.run.counts.stored:,} quarantined events sent again.{waiting}{missing}{ignored}"


def _say_ignored(rows: int) -> str:
    return (
        f" In {rows:,} {'row' if rows == 1 else 'rows'} of the file, `body` was edited beside filled cells: "
        "the cells were sent, and `body` was not. To send an edited `body`, empty the other cells."
    )


def _staging(settings: Settings, replay: Replay) -> Staging:
    return Staging(settings.stack.data_path / "etl" / "replay", replay.run.run_id)
