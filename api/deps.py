"""What routes are given."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from api.admission import KEY_PARAMETER, Admission
from api.broker import Broker
from api.recent_ids import RecentIds
from api.refusals import Refusal, RefusalBody, RefusalCode
from api.senders import EventSource, Sender, Senders
from api.tracing import Tracer
from clickstream.settings import Settings

SOURCE_PARAMETER = "source"


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
        Refusal: It is none.
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


async def _get_services(request: Request) -> Services:
    return services_of(request)


ServicesDep = Annotated[Services, Depends(_get_services)]
