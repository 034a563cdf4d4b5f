"""Whether the service lives, and whether it can do its work."""

from typing import Final, Literal

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from pydantic import BaseModel

from api import metrics
from api.deps import ServicesDep

router = APIRouter(tags=["Service"])

BROKER: Final = "broker"


class Liveness(BaseModel):
    """The process answers."""

    status: Literal["alive"] = "alive"


class Dependency(BaseModel):
    """One service that this one needs."""

    status: Literal["up", "away"]
    message: str = ""


class Readiness(BaseModel):
    """Whether events can be taken, and what keeps them from it."""

    status: Literal["ready", "not ready"]
    dependencies: dict[str, Dependency]


@router.get("/health/live")
async def live() -> Liveness:
    """Whether the process answers."""
    return Liveness()


@router.get("/health/ready")
async def ready(services: ServicesDep, response: Response) -> Readiness:
    """Whether events can be taken; asks the broker itself."""
    problem = await services.broker.problem()
    response.headers["Cache-Control"] = "no-store"
    if problem is None:
        return Readiness(status="ready", dependencies={BROKER: Dependency(status="up")})
    response.status_code = 503
    return Readiness(status="not ready", dependencies={BROKER: Dependency(status="away", message=problem)})


@router.get("/metrics")
async def read_metrics() -> Response:
    """Metrics for Prometheus."""
    return Response(generate_latest(metrics.REGISTRY), media_type=CONTENT_TYPE_LATEST)
