"""The stages of an event on its way into the numbers, and why it has stopped where it has."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from clickstream.trace import Fate, Receipt, Trace
from control_panel import text


class StageState(StrEnum):
    """The state of a stage."""

    DONE = "done"
    WAITING = "waiting"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage of one received event.

    Attributes:
        title: Its name.
        state: Whether it is done.
        detail: When, or why not, as one sentence.
    """

    title: str
    state: StageState
    detail: str


def stages(receipt: Receipt, trace: Trace, last_run_at: datetime | None) -> list[Stage]:
    """The stages of a received event in their order, up to the first that is not done.

    Args:
        receipt: The event.
        trace: What it belongs to; has the days of the marts.
        last_run_at: When `process_events` last ended; None if it never did.
    """
    if receipt.fate is Fate.ERASED:
        detail = f"Erased {text.moment(receipt.decided_at)} together with its person; nothing of it is kept."
        return [Stage("Erased", StageState.STOPPED, detail)]
    done = [
        Stage("Received", StageState.DONE, f"{text.moment(receipt.received_at)}, by {receipt.source}."),
        Stage("In raw_events", StageState.DONE, f"{text.moment(receipt.loaded_at)}, as {receipt.name}."),
    ]
    if receipt.fate is not Fate.STORED:
        return [*done, _stopped(receipt, last_run_at)]
    stored = Stage(
        "Validated and stored",
        StageState.DONE,
        f"{text.moment(receipt.decided_at)}, as event {receipt.event_id}.",
    )
    return [*done, stored, _counted(receipt, trace)]


def _stopped(receipt: Receipt, last_run_at: datetime | None) -> Stage:
    at = text.moment(receipt.decided_at)
    match receipt.fate:
        case Fate.PENDING:
            return Stage(
                "Waiting to be processed",
                StageState.WAITING,
                f"Since {text.moment(receipt.loaded_at)}, for process_events. It runs every minute; the last "
                f"run ended {text.age(last_run_at)}.",
            )
        case Fate.DUPLICATE:
            return Stage(
                "Not counted: duplicate",
                StageState.STOPPED,
                f"{at}. Event {receipt.event_id} was stored already; the first one received counts.",
            )
        case Fate.QUARANTINED:
            replayed = f" It was replayed {text.moment(receipt.replayed_at)}." if receipt.replayed_at else ""
            return Stage(
                "Not counted: in quarantine",
                StageState.STOPPED,
                f"{at}, because it is not a valid event.{replayed}",
            )
        case _:
            return Stage(
                "Unaccounted",
                StageState.STOPPED,
                "It was processed but is in no table, which must never happen; see the ledger.",
            )


def _counted(receipt: Receipt, trace: Trace) -> Stage:
    day = receipt.created_at.date() if receipt.created_at else None
    built = [one for one in trace.days if one.date == day and one.rebuilt_at is not None]
    if not built:
        return Stage(
            "Waiting for the marts",
            StageState.WAITING,
            f"The marts of {day} will be rebuilt within a minute.",
        )
    marts = max(built, key=lambda one: len(one.marts)).marts
    return Stage(
        "In the numbers",
        StageState.DONE,
        f"{text.moment(built[0].rebuilt_at)}, on {day} in {len(marts)} marts: {', '.join(marts)}.",
    )


def is_settled(trace: Trace, last_run_at: datetime | None) -> bool:
    """Whether nothing more will happen to any of the events by itself."""
    return bool(trace.receipts) and not any(
        stage.state is StageState.WAITING
        for receipt in trace.receipts
        for stage in stages(receipt, trace, last_run_at)
    )


def original_of(receipt: Receipt, receipts: Sequence[Receipt]) -> Receipt | None:
    """The stored event that a duplicate repeats, if it is among some receipts."""
    return next(
        (one for one in receipts if one.fate is Fate.STORED and one.event_id == receipt.event_id), None
    )
