"""What routes are given."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from api.admission import KEY_PARAMETER, Admission
from api.broker import Broker
from api.refusals import Refusal, RefusalBody, RefusalCode
from api.senders import EventSource, Sender, Senders
from clickstream.settings import Settings

SOURCE_PARAMETER = "source"


@dataclass(frozen=True, slots=True)
class Services:
    """What lives as long as the application."""

    settings: Settings
    broker: Broker
    admission: Admission
    senders: Senders


async def get_services(request: Request) -> Services:
    """The application's services."""
    services: Services = request.app.state.services
    return services


ServicesDep = Annotated[Services, Depends(get_services)]


async def admit_sender(request: Request, services: ServicesDep) -> Sender:
    """Who sends, once they were let in.

    Raises:
        Refusal: They were not.
    """
    headers = request.headers
    parameters = request.query_params
    address = services.senders.address(request.client.host if request.client else "", headers)
    services.admission.admit(headers, parameters.get(KEY_PARAMETER), address)
    return services.senders.sender(
        _source(parameters.get(SOURCE_PARAMETER)), address, headers.get("user-agent", "")
    )


SenderDep = Annotated[Sender, Depends(admit_sender)]


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
