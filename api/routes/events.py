"""`POST /events`: an array of events, or one."""

from typing import Final

import msgspec
from fastapi import APIRouter, Request, Response

from api import metrics
from api.bodies import read_text
from api.broker import MAX_RECORD_BYTES, Broker, BrokerAwayError, RecordTooLargeError
from api.deps import IDS_PARAMETER, SENT_AT_PARAMETER, admit_sender, read_sent_at, services_of
from api.judging import MAX_TOLD_ERRORS, EventNote, EventProblem, Verdict, ids_by_index, judge
from api.refusals import Refusal, RefusalBody, RefusalCode
from api.senders import EventSource
from clickstream.settings import BrokerSettings

router = APIRouter(tags=["Events"])

RETRY_AFTER_SECONDS: Final = 2
KEPT: Final = (
    "The rejected events are kept in the quarantine, where they can be repaired and replayed: in the control "
    "panel under Data quality, or with `clickstream quarantine export`."
)
"""What an answer says of rejected events."""


class Answer(msgspec.Struct, frozen=True, omit_defaults=True):
    """What became of the events of a request.

    Attributes:
        accepted: Events that the broker has acknowledged.
        rejected: Events that break the contract; they are in the quarantine.
        errors: What is wrong with those.
        known: Of the accepted events, those that the service remembers to have accepted before; they are
            duplicates and count once.
        errors_left_out: Errors beyond those that an answer lists.
        warnings: Values of accepted events that can't be used, so that the events are stored without them,
            and fields that the contract does not know.
        advice: What becomes of rejected events; empty if all were accepted.
        ids: For each event of the request its id as text, null where it was rejected; if it was asked for.
        warnings_left_out: Warnings beyond those that an answer lists.
    """

    accepted: int = msgspec.field()
    rejected: int = msgspec.field()
    errors: list[EventProblem] = msgspec.field()
    known: int = 0
    errors_left_out: int = 0
    warnings: list[EventProblem | EventNote] = []
    warnings_left_out: int = 0
    ids: list[str | None] = []
    advice: str = ""


_encode: Final = msgspec.json.Encoder().encode


@router.post("/events", status_code=202)
async def post_events(request: Request) -> Response:
    """Takes events in; answers once the broker has acknowledged them."""
    # Called, not injected: resolving two dependencies took FastAPI a sixth of the whole request.
    services = services_of(request)
    sender = admit_sender(request, services)
    settings = services.settings
    sent_at = read_sent_at(request.query_params.get(SENT_AT_PARAMETER))
    text = await read_text(request, settings.api)
    allowed_ms = settings.etl.future_allowed_seconds * 1_000
    verdict = await judge(text, sender, settings.api, allowed_ms, sent_at)
    await _deliver(verdict, sender.source, services.broker, settings.broker)
    _count(verdict, sender.source)
    return Response(
        _encode(
            Answer(
                accepted=len(verdict.accepted),
                rejected=len(verdict.rejected),
                errors=verdict.problems[:MAX_TOLD_ERRORS],
                known=services.recent_ids.add(verdict.ids),
                errors_left_out=max(0, len(verdict.problems) - MAX_TOLD_ERRORS),
                warnings=[*verdict.warnings[:MAX_TOLD_ERRORS], *verdict.notes],
                warnings_left_out=max(0, len(verdict.warnings) - MAX_TOLD_ERRORS),
                ids=ids_by_index(verdict) if request.query_params.get(IDS_PARAMETER) == "1" else [],
                advice=KEPT if verdict.rejected else "",
            )
        ),
        status_code=202 if verdict.accepted or not verdict.rejected else 422,
        media_type="application/json",
    )


async def _deliver(verdict: Verdict, source: EventSource, broker: Broker, topics: BrokerSettings) -> None:
    """Puts the events into the broker: the rejected ones first, so that nothing is accepted by half.

    Raises:
        Refusal: The broker is away, or the record would be too large.
    """
    accepted, rejected = _record(verdict.accepted), _record(verdict.rejected)
    if max(len(accepted), len(rejected)) > MAX_RECORD_BYTES:
        raise _too_large()
    try:
        if verdict.rejected:
            await broker.deliver(topics.rejected_topic, rejected, source)
        if verdict.accepted:
            await broker.deliver(topics.topic, accepted, source)
    except RecordTooLargeError:
        raise _too_large() from None
    except BrokerAwayError:
        raise Refusal(
            RefusalBody(
                RefusalCode.BROKER_UNAVAILABLE,
                "The broker did not acknowledge the events, so none counts as accepted. "
                f"Send the same request again in {RETRY_AFTER_SECONDS} seconds; nothing is counted twice.",
            ),
            {"Retry-After": str(RETRY_AFTER_SECONDS)},
        ) from None


def _record(events: list[str]) -> bytes:
    """The value of a record: the events as an array, with the bytes that were not UTF-8 as they came."""
    return f"[{','.join(events)}]".encode(errors="surrogateescape")


def _too_large() -> Refusal:
    return Refusal(
        RefusalBody(
            RefusalCode.BODY_TOO_LARGE,
            f"With what is added to them, the events are longer than {MAX_RECORD_BYTES} bytes. "
            "Send them in several requests.",
            limit=MAX_RECORD_BYTES,
        )
    )


def _count(verdict: Verdict, source: EventSource) -> None:
    metrics.ACCEPTED[source].inc(len(verdict.accepted))
    if verdict.rejected:
        metrics.REJECTED[source].inc(len(verdict.rejected))
        for problem in verdict.problems:
            metrics.EVENT_ERRORS[problem.code].inc()
    for warning in verdict.warnings:
        metrics.EVENT_WARNINGS[warning.field, warning.code].inc()
