"""What routes are given."""

import re
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from api.admission import KEY_PARAMETER, Admission
from api.broker import Broker
from api.recent_ids import RecentIds
from api.refusals import Refusal, RefusalBody, RefusalCode
from api.senders import EventSource, Sender, Senders
from api.tracing import Tracer
from clickstream.event.clocks import is_time
from clickstream.event.times import explain_time
from clickstream.settings import Settings

SOURCE_PARAMETER = "source"
SENT_AT_PARAMETER = "sent_at"
IDS_PARAMETER = "ids"
_LOST_PLUS = re.compile(r"(?<=[0-9]) (?=[0-9]{2}:?[0-9]*\Z)")
"""A plus that was not escaped in a URL comes as a space."""


@dataclass(frozen=True, slots=True)
class Services:
    """What lives as long as the application."""

    settings: Settings
    broker: Broker
    admission: Admission
    senders: Senders
    tracer: Tracer
    recent_ids: RecentIds


def services_of(request: Request) -> Services:
    """The services of the application that a request came to."""
    services: Services = request.app.state.services
    return services


def admit_sender(request: Request, services: Services) -> Sender:
    """Who sends, once they were let in.

    Raises:
        Refusal: They were not.
    """
    headers = request.headers
    parameters = request.query_params
    address = _address(request, services)
    services.admission.admit(headers, parameters.get(KEY_PARAMETER), address)
    return services.senders.sender(
        _source(parameters.get(SOURCE_PARAMETER)), address, headers.get("user-agent", "")
    )


def admit_operator(request: Request, services: Services) -> None:
    """Lets an operator in.

    Raises:
        Refusal: The caller is not an operator.
    """
    services.admission.admit_operator(request.headers, _address(request, services))


def _address(request: Request, services: Services) -> str:
    return services.senders.address(request.client.host if request.client else "", request.headers)


def _source(text: str | None) -> EventSource:
    if text is None:
        return EventSource.HTTP
    try:
        return EventSource(text)
    except ValueError:
        raise Refusal(
            RefusalBody(
                RefusalCode.INVALID_PARAMETER,
                f"The parameter {SOURCE_PARAMETER} is {text[:100]!r}; "
                f"it must be one of {', '.join(EventSource)}, or absent.",
                accepted=tuple(EventSource),
            )
        ) from None


def read_sent_at(text: str | None) -> str | None:
    """When the body was sent, by the clock of its sender; None if it does not say.

    Raises:
        Refusal: The parameter is not a time.
    """
    if not text:
        return None
    time = _LOST_PLUS.sub("+", text) if "T" in text.upper() else text
    if is_time(time):
        return time
    hint = explain_time(text)
    raise Refusal(
        RefusalBody(
            RefusalCode.INVALID_PARAMETER,
            f"The parameter {SENT_AT_PARAMETER} is {text[:100]!r}; it must be an RFC 3339 time, such as "
            f"2025-01-01T10:00:00Z, or absent{f': {hint}' if hint else ''}.",
        )
    )


async def _get_services(request: Request) -> Services:
    return services_of(request)


ServicesDep = Annotated[Services, Depends(_get_services)]
