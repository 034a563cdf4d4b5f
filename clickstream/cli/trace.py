"""`clickstream trace`: the way of events."""

from collections import Counter
from typing import Annotated, Final

import msgspec
import typer

from clickstream.cli.output import AsJson, out, print_json, print_table
from clickstream.cli.runs import reader
from clickstream.errors import BadInputError
from clickstream.privacy.naming import parse_user_id
from clickstream.settings import get_settings
from clickstream.sources.requests import request_ids
from clickstream.trace import (
    Receipt,
    Trace,
    TraceState,
    parse_id,
    parse_record,
    trace_event,
    trace_record,
    trace_session,
    trace_user,
)

_MOMENT: Final = "%Y-%m-%d %H:%M:%S.%f"
_MAX_BODIES: Final = 20
"""Texts that are printed; --json has all."""

_SENTENCES: Final = {
    TraceState.UNKNOWN: "Nothing is known of {what}: it is in no table, and no text that is waiting or in "
    "quarantine names it. An event that was sent without an id has one made of its content.",
    TraceState.PENDING: "{What} was received and waits for `process_events`; `clickstream process` does it "
    "now.",
    TraceState.STORED: "{What} is stored and counts.",
    TraceState.QUARANTINED: "{What} is in quarantine and doesn't count.",
    TraceState.ERASED: "{What} was erased together with its person and doesn't count.",
    TraceState.UNACCOUNTED: "{What} was received, but nothing became of it: `clickstream ledger` shows the "
    "gap. This is a fault of the system.",
}


def trace(
    what: Annotated[
        str,
        typer.Argument(
            metavar="[ID|RECORD|SESSION]",
            help="An event's id, a record as commands print it (origin:offset or origin:offset:item), or a "
            "session.",
            show_default=False,
        ),
    ] = "",
    session: Annotated[
        str, typer.Option(help="Follow the events of this session, also if it looks like an id.")
    ] = "",
    user: Annotated[str, typer.Option(help="Follow the events of this user id.")] = "",
    as_json: AsJson = False,
) -> None:
    """Follow events: how they arrived, what became of them and why; exit with 1 if nothing is found.

    Examples: clickstream trace 1842, clickstream trace clickstream.events/0:12:3,
    clickstream trace s-77, clickstream trace --user 42
    """
    if sum(map(bool, (what, session, user))) != 1:
        raise BadInputError(
            "Give one of an id, a record, a session and --user.", hint="For example: clickstream trace 1842"
        )
    client = reader(get_settings())
    record = parse_record(what)
    if what and record is None and not what.strip().isdecimal():
        session = what
    if session:
        subject, found = f"session {session}", trace_session(client, session)
    elif user:
        subject, found = f"user {user}", trace_user(client, parse_user_id(user))
    elif record is not None:
        subject, found = f"record {what}", trace_record(client, record)
    else:
        subject, found = f"event {what}", trace_event(client, parse_id(what))
    if as_json:
        print_json(msgspec.to_builtins(found))
    else:
        _print_trace(subject, found)
        _print_requests(found)
    if found.state is TraceState.UNKNOWN:
        raise typer.Exit(1)


def _print_trace(subject: str, found: Trace) -> None:
    out.print(_sentence(subject, found), markup=False)
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
    for receipt in [one for one in found.receipts if one.body][:_MAX_BODIES]:
        out.print(f"Raw {receipt.name}: {receipt.body}", markup=False, soft_wrap=True)


def _print_requests(found: Trace) -> None:
    """The requests that brought the records; the log of the API names them as well."""
    records = dict.fromkeys((receipt.origin, receipt.offset) for receipt in found.receipts[:_MAX_BODIES])
    for (origin, offset), request_id in request_ids(get_settings().broker, records).items():
        out.print(f"Record {origin}:{offset} came with request {request_id}.", markup=False)


def _sentence(subject: str, found: Trace) -> str:
    what = f"{subject[0].upper()}{subject[1:]}"
    if len(found.receipts) > 1 and found.id is None:
        counts = Counter(str(receipt.fate) for receipt in found.receipts)
        told = ", ".join(f"{events:,} {fate}" for fate, events in counts.most_common())
        return f"{what}: {told}."
    return _SENTENCES[found.state].format(what=subject, What=what)


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
        f"{receipt.loaded_at:{_MOMENT}}" if receipt.loaded_at else "",
        became,
        decided,
    )
