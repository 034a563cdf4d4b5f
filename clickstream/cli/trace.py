"""`clickstream trace`: the way of one event."""

from typing import Annotated, Final

import msgspec
import typer

from clickstream.cli.output import AsJson, out, print_json, print_table
from clickstream.cli.runs import reader
from clickstream.settings import get_settings
from clickstream.trace import Receipt, Trace, TraceState, parse_id, trace_event

_MOMENT: Final = "%Y-%m-%d %H:%M:%S.%f"

_SENTENCES: Final = {
    TraceState.UNKNOWN: "Nothing is known of event {id}: it is in no table, and no text that is waiting or "
    "in quarantine names it. An event that was sent without an id has one made of its content.",
    TraceState.PENDING: "Event {id} was received and waits for `process_events`; `clickstream process` does "
    "it now.",
    TraceState.STORED: "Event {id} is stored and counts.",
    TraceState.QUARANTINED: "Event {id} is in quarantine and doesn't count.",
    TraceState.UNACCOUNTED: "Event {id} was received, but nothing became of it: `clickstream ledger` shows "
    "the gap. This is a fault of the system.",
}


def trace(
    event_id: Annotated[str, typer.Argument(metavar="ID", help="The event's id.")], as_json: AsJson = False
) -> None:
    """Follow an event: where it came in, what became of it and why. Exit with 1 if nothing is known of it."""
    found = trace_event(reader(get_settings()), parse_id(event_id))
    if as_json:
        print_json(msgspec.to_builtins(found))
    else:
        _print_trace(found)
    if found.state is TraceState.UNKNOWN:
        raise typer.Exit(1)


def _print_trace(found: Trace) -> None:
    out.print(_SENTENCES[found.state].format(id=found.id), markup=False)
    if not found.receipts:
        return
    print_table(
        "Received",
        ("received (UTC)", "source", "origin:offset:item", "in raw since", "became", "at"),
        [_describe(receipt) for receipt in found.receipts],
    )
    if found.receipts_left_out:
        out.print(f"There are {found.receipts_left_out:,} more receipts.")
    errors = [(receipt.name, error) for receipt in found.receipts for error in receipt.errors]
    if errors:
        print_table(
            "What is wrong",
            ("origin:offset:item", "code", "field", "rule", "value"),
            [(name, str(error.code), error.field, error.message, error.value) for name, error in errors],
        )
    for day in found.days:
        built = f"built {day.rebuilt_at:{_MOMENT}} by run {day.run_id}" if day.rebuilt_at else "not built yet"
        out.print(f"Counts on {day.date} in {', '.join(day.marts)}: {built}.", markup=False)
    for receipt in found.receipts:
        out.print(f"Raw {receipt.name}: {receipt.body}", markup=False, soft_wrap=True)


def _describe(receipt: Receipt) -> tuple[object, ...]:
    became = str(receipt.fate)
    if receipt.replay_of:
        became += f", a replay of {receipt.replay_of}"
    if receipt.replayed_at:
        became += f", replayed {receipt.replayed_at:{_MOMENT}}"
    decided = f"{receipt.decided_at:{_MOMENT}}" if receipt.decided_at else ""
    return (
        f"{receipt.received_at:{_MOMENT}}",
        receipt.source,
        receipt.name,
        f"{receipt.loaded_at:{_MOMENT}}",
        became,
        decided,
    )
