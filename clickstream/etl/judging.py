"""One batch of raw rows: which are events, and why the others are not."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from clickstream.decode import SentEvent, explain_defect, read_record, read_values, record_error
from clickstream.etl.parsing import ValidEvent, lay_out_events
from clickstream.event.clocks import clock_skew_ms
from clickstream.event.rules import Receipt, find_problems, is_warning
from clickstream.reasons import ErrorCode, EventError
from clickstream.sightings import sight, sight_fields
from clickstream.storage.quarantine import QUARANTINE_SCHEMA
from clickstream.validation import (
    DEFECT,
    ExpectationOutcome,
    judge_batch,
    judge_rows,
)


@dataclass(frozen=True, slots=True)
class Judgement:
    """What became of one batch.

    Attributes:
        valid: The events, as rows of `VALID_SCHEMA`.
        quarantined: The others, as rows of `QUARANTINE_SCHEMA`.
        outcomes: What each expectation found.
    """

    valid: pa.Table
    quarantined: pa.Table
    outcomes: list[ExpectationOutcome]


def judge(raw: pa.Table, future_allowed_ms: int) -> Judgement:
    """Lets Great Expectations decide on each row of a batch.

    First the suite `records` says which rows can be read at all, then `events` checks the fields of those.
    The decoder adds to each code of a refused row the field, the value and the rule.

    Args:
        raw: Rows of `RAW_SCHEMA`.
        future_allowed_ms: How far `created_at` may lie after the receipt.
    """
    bodies: list[Any] = raw["body"].to_pylist()
    known_defects: list[Any] = raw["defect"].to_pylist()
    received_at_ms: list[Any] = raw["received_at"].cast(pa.int64()).to_pylist()
    records = [
        _known_defect(defect, body) or read_record(body)
        for body, defect in zip(bodies, known_defects, strict=True)
    ]
    defects = {"": sight([_defect_of(record) for record in records], DEFECT)}
    unreadable = judge_rows(defects, "records", future_allowed_ms=future_allowed_ms)

    readable = [row for row in range(len(records)) if row not in unreadable.errors]
    events = [record for record in records if isinstance(record, SentEvent)]
    values = list(map(read_values, events))
    received = [received_at_ms[row] for row in readable]
    skews_ms = [
        clock_skew_ms(event.sent_at, at_ms) if event.sent_at is not None else 0
        for event, at_ms in zip(events, received, strict=True)
    ]
    sightings = sight_fields(values, received, skews_ms)
    verdicts = judge_rows(sightings, "events", future_allowed_ms=future_allowed_ms)
    is_valid = [place not in verdicts.errors for place in range(len(values))]

    errors: dict[int, list[EventError]] = {
        row: [record] for row, record in enumerate(records) if isinstance(record, EventError)
    }
    codes = dict(unreadable.errors)
    warnings: dict[int, list[EventError]] = {}
    for place in verdicts.errors.keys() | verdicts.warnings.keys():
        row = readable[place]
        problems = find_problems(values[place], Receipt(received[place], future_allowed_ms, skews_ms[place]))
        if place in verdicts.errors:
            codes[row] = verdicts.errors[place]
            errors[row] = [problem for problem in problems if not is_warning(problem)]
        else:
            warnings[place] = problems
    refused = pa.array([row in codes for row in range(raw.num_rows)], pa.bool_())
    valid = [
        ValidEvent(values[place], skews_ms[place], warnings.get(place, ()))
        for place in range(len(values))
        if is_valid[place]
    ]
    return Judgement(
        valid=lay_out_events(raw.filter(pc.invert(refused)), valid),
        quarantined=_quarantine(raw.filter(refused), [(codes[row], errors[row]) for row in sorted(codes)]),
        outcomes=[*unreadable.outcomes, *verdicts.outcomes, *judge_batch(sightings, is_valid)],
    )


def _known_defect(defect: str, body: str) -> EventError | None:
    """The error that the reader of the source found already."""
    if not defect:
        return None
    code = ErrorCode(defect)
    return record_error(code, explain_defect(code, body), body)


def _defect_of(record: SentEvent | EventError) -> str:
    return record.code.value if isinstance(record, EventError) else ""


def _quarantine(
    rows: pa.Table, verdicts: Sequence[tuple[Sequence[ErrorCode], Sequence[EventError]]]
) -> pa.Table:
    reasons = [[code.value for code in codes] for codes, _ in verdicts]
    errors = [
        [
            {"code": error.code.value, "field": error.field, "message": error.message, "value": error.value}
            for error in row_errors
        ]
        for _, row_errors in verdicts
    ]
    kept = [rows["replay_of" if name == "original" else name] for name in QUARANTINE_SCHEMA.names[:-2]]
    columns = [
        *kept,
        pa.array(reasons, QUARANTINE_SCHEMA.field("reasons").type),
        pa.array(errors, QUARANTINE_SCHEMA.field("errors").type),
    ]
    return pa.Table.from_arrays(columns, schema=QUARANTINE_SCHEMA)


def merge_outcomes(batches: Sequence[Sequence[ExpectationOutcome]]) -> list[ExpectationOutcome]:
    """One outcome an expectation over all batches of a run: met if it was met in each."""
    merged: dict[tuple[str, str, str, str], ExpectationOutcome] = {}
    for outcome in (outcome for batch in batches for outcome in batch):
        key = (outcome.scope, outcome.expectation, outcome.field, outcome.code)
        before = merged.get(key)
        merged[key] = (
            outcome
            if before is None
            else replace(
                outcome,
                success=before.success and outcome.success,
                evaluated=before.evaluated + outcome.evaluated,
                unexpected=before.unexpected + outcome.unexpected,
            )
        )
    return list(merged.values())
