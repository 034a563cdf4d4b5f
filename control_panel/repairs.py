"""Repairing refused events: what a rule would do, and the file that sends the repaired ones again."""

import secrets
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import msgspec
import pyarrow as pa

from clickstream.errors import BadInputError
from clickstream.etl.quarantine_file import write_quarantine
from clickstream.etl.repair import RepairRule, apply_rule, check_rule, problems_of
from clickstream.event.rules import Receipt
from clickstream.files import whole_file
from clickstream.reasons import EventError
from clickstream.settings import get_settings
from control_panel.clients import quality
from control_panel.clients.quality import Wanted

MOST_EVENTS: Final = 20_000
"""Events that a rule is applied to at once; the rest follow when it is applied again."""

_KEPT_FILES: Final = 20


class Outcome(msgspec.Struct, frozen=True):
    """What a rule would do.

    Attributes:
        matched: Events that the filter keeps, at most `MOST_EVENTS`.
        changed: Of these, events that the rule changes.
        valid: Of the changed ones, events that would be valid then.
        still_wrong: How often each problem, a code and its field, would remain among the changed ones.
    """

    matched: int
    changed: int
    valid: int
    still_wrong: dict[str, int]


class Replay(msgspec.Struct, frozen=True):
    """A replay that was asked for.

    Attributes:
        events: How many events it sends.
        run_id: The run of the pipeline.
    """

    events: int
    run_id: int


def preview_rule(wanted: Wanted, rule: RepairRule) -> Outcome:
    """What a rule would do to the events of a filter.

    Raises:
        BadInputError: The rule means nothing.
        ServiceUnavailableError: ClickHouse does not answer.
    """
    check_rule(rule)
    outcome, _ = _apply(quality.chosen(wanted, MOST_EVENTS), lambda body: apply_rule(rule, body))
    return outcome


def send_again(wanted: Wanted, rule: RepairRule) -> Replay:
    """Send the events that a rule makes valid through the pipeline again; the others stay as they are.

    Raises:
        BadInputError: The rule means nothing, or makes no event valid.
        ServiceUnavailableError: ClickHouse or Mage does not answer.
    """
    check_rule(rule)
    _, repaired = _apply(quality.chosen(wanted, MOST_EVENTS), lambda body: apply_rule(rule, body))
    return _replay(repaired, "The rule makes no event valid any more.")


def send_one(coordinate: tuple[str, int, int], body: str) -> Replay:
    """Send one event again with another body.

    Raises:
        BadInputError: It is not in quarantine any more, or was replayed already.
        ServiceUnavailableError: ClickHouse or Mage does not answer.
    """
    table = quality.record(*coordinate)
    if table.num_rows and table.column("replayed_at")[0].is_valid:
        raise BadInputError(
            "The event was replayed already, so nothing was sent.",
            hint="If it was refused again, its replay is an event of its own in this list.",
        )
    return _replay(_with_bodies(table, [body] * table.num_rows), "The event is not in quarantine any more.")


def receipt_of(received_at: datetime) -> Receipt:
    """What decides on an event besides its content."""
    future_allowed_ms = get_settings().etl.future_allowed_seconds * 1_000
    at = received_at if received_at.tzinfo else received_at.replace(tzinfo=UTC)
    return Receipt(int(at.timestamp() * 1_000), future_allowed_ms)


def _replay(repaired: pa.Table, nothing: str) -> Replay:
    if not repaired.num_rows:
        raise BadInputError(nothing, hint="Reload the page to see how the events stand now.")
    return Replay(repaired.num_rows, quality.replay(str(_write(repaired))))


def _apply(table: pa.Table, change: Callable[[str], str]) -> tuple[Outcome, pa.Table]:
    places, bodies = [], []
    still_wrong: Counter[str] = Counter()
    changed = 0
    columns: tuple[list[Any], list[Any]] = (
        table.column("body").to_pylist(),
        table.column("received_at").to_pylist(),
    )
    rows = zip(*columns, strict=True)
    for place, (before, received_at) in enumerate(rows):
        after = change(before)
        if after == before:
            continue
        changed += 1
        problems = problems_of(after, receipt_of(received_at))
        still_wrong.update({_problem_name(problem) for problem in problems})
        if not problems:
            places.append(place)
            bodies.append(after)
    outcome = Outcome(table.num_rows, changed, len(places), dict(sorted(still_wrong.items(), key=_rank)))
    # With its type: that of an empty list is unknown.
    return outcome, _with_bodies(table.take(pa.array(places, pa.int64())), bodies)


def _rank(problem: tuple[str, int]) -> tuple[int, str]:
    """The most frequent first; those that are equally frequent by name, so that their order never changes."""
    return -problem[1], problem[0]


def _problem_name(problem: EventError) -> str:
    return f"{problem.code.value} in {problem.field}" if problem.field else problem.code.value


def _with_bodies(table: pa.Table, bodies: list[str]) -> pa.Table:
    index = table.schema.get_field_index("body")
    return table.set_column(index, table.schema.field(index), pa.array(bodies, pa.string()))


def _write(repaired: pa.Table) -> Path:
    """The file that the pipeline reads; only its owner can."""
    folder = get_settings().stack.data_path / "panel" / "repairs"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    for old in sorted(folder.glob("*.csv"), key=_age)[_KEPT_FILES - 1 :]:
        old.unlink(missing_ok=True)
    path = folder / f"{secrets.token_hex(8)}.csv"
    with whole_file(path, encoding="utf-8-sig", newline="") as file:
        write_quarantine(file, [repaired])
    return path


def _age(path: Path) -> Any:
    return -path.stat().st_mtime
