"""`GET /events/{id}`: what became of an event; for operators alone, since it shows personal data."""

from datetime import date, datetime
from typing import Final

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from api.deps import Services, admit_operator, services_of
from api.refusals import Refusal, RefusalBody, RefusalCode
from api.tracing import ClickHouseAwayError
from clickstream.contract import EventType
from clickstream.errors import BadInputError
from clickstream.reasons import ErrorCode
from clickstream.trace import Fate, Receipt, Trace, TraceState, parse_id

router = APIRouter(tags=["Operators"])

RETRY_AFTER_SECONDS: Final = 5

_ID: Final = "In decimal digits: JavaScript's numbers end at 2^53."


class BrokenRule(BaseModel):
    """One rule that an event breaks."""

    code: ErrorCode
    field: str = Field(description="Empty for the event as a whole.")
    message: str
    value: str = Field(description="What was received.")


class EventReceipt(BaseModel):
    """One receipt of the event, and what became of it."""

    source: str = Field(description="How it arrived.", examples=["http"])
    origin: str = Field(description="What it was read from.", examples=["clickstream.events/0"])
    offset: str = Field(description=f"Offset of its record, or line of its file. {_ID}", examples=["1042"])
    item: int = Field(description="Place in the record.", examples=[0])
    received_at: datetime
    loaded_at: datetime | None = Field(
        description="When it was written to `raw_events`; null for an erased one."
    )
    fate: Fate
    decided_at: datetime | None = Field(description="When that was decided; null while it is pending.")
    event_id: str | None = Field(description=f"The id that it is stored or known under. {_ID}")
    created_at: datetime | None = Field(description="When it happened; null unless it is stored.")
    type: EventType | None = Field(description="Null unless it is stored.")
    errors: list[BrokenRule] = Field(description="What is wrong with it, if it is in quarantine.")
    replayed_at: datetime | None = Field(description="When it was sent again from the quarantine.")
    replay_of: str = Field(description="The receipt that it repeats, `origin:offset:item`, else empty.")
    body: str = Field(description="The event as it was received.")


class MartDay(BaseModel):
    """A day of the marts in which the event counts."""

    date: date
    marts: list[str]
    rebuilt_at: datetime | None = Field(description="When they were first built with it; null: not yet.")
    run_id: str | None = Field(description="The run of `process_events` that did.")


class EventTrace(BaseModel):
    """All that is known of an event."""

    id: str = Field(description=_ID, examples=["18446744073709551615"])
    state: TraceState = Field(description="What became of it as a whole.")
    receipts: list[EventReceipt] = Field(description="First received first.")
    days: list[MartDay]
    receipts_left_out: int = Field(description="Receipts beyond those listed.")


@router.get("/events/{id}", response_model=EventTrace)
async def follow_event(request: Request, response: Response) -> EventTrace:
    """Where an event came in, what became of it and why, and in which days it counts."""
    services = services_of(request)
    response.headers["Cache-Control"] = "no-store"
    admit_operator(request, services)
    try:
        event_id = parse_id(request.path_params["id"])
    except BadInputError as error:
        raise Refusal(RefusalBody(RefusalCode.INVALID_PARAMETER, str(error))) from None
    trace = await _trace(services, event_id)
    if trace.state is TraceState.UNKNOWN:
        raise Refusal(
            RefusalBody(
                RefusalCode.EVENT_UNKNOWN,
                f"Nothing is known of event {event_id}: it is in no table, and no text that waits or is in "
                "quarantine names it. What was accepted a moment ago takes a few seconds to get there; an "
                "event that was sent without an id has one made of its content.",
            )
        )
    return _shown(trace)


async def _trace(services: Services, event_id: int) -> Trace:
    try:
        return await services.tracer.trace(event_id)
    except ClickHouseAwayError:
        raise Refusal(
            RefusalBody(
                RefusalCode.CLICKHOUSE_UNAVAILABLE,
                "ClickHouse does not answer, so events can't be followed. "
                f"Ask again in {RETRY_AFTER_SECONDS} seconds. Events are taken all the same.",
            ),
            {"Retry-After": str(RETRY_AFTER_SECONDS)},
        ) from None


def _shown(trace: Trace) -> EventTrace:
    return EventTrace(
        id=str(trace.id),
        state=trace.state,
        receipts=[_shown_receipt(receipt) for receipt in trace.receipts],
        days=[
            MartDay(date=day.date, marts=list(day.marts), rebuilt_at=day.rebuilt_at, run_id=day.run_id)
            for day in trace.days
        ],
        receipts_left_out=trace.receipts_left_out,
    )


def _shown_receipt(receipt: Receipt) -> EventReceipt:
    return EventReceipt(
        source=receipt.source,
        origin=receipt.origin,
        offset=str(receipt.offset),
        item=receipt.item,
        received_at=receipt.received_at,
        loaded_at=receipt.loaded_at,
        fate=receipt.fate,
        decided_at=receipt.decided_at,
        event_id=None if receipt.event_id is None else str(receipt.event_id),
        created_at=receipt.created_at,
        type=receipt.type,
        errors=[
            BrokenRule(code=error.code, field=error.field, message=error.message, value=error.value)
            for error in receipt.errors
        ],
        replayed_at=receipt.replayed_at,
        replay_of=receipt.replay_of,
        body=receipt.body,
    )
