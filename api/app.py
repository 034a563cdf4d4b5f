"""Makes the application."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from api import faults
from api.admission import Admission, Origins
from api.broker import Broker
from api.deps import Services
from api.middleware import CrossOrigin, Observed
from api.openapi import describe
from api.routes import events, health, pages
from api.senders import Senders
from clickstream.settings import Settings


def create_app(settings: Settings) -> FastAPI:
    """The HTTP service; it connects to the broker when it starts and delivers what waits when it stops."""
    api = settings.api
    broker = Broker(settings.broker, api)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        await broker.start()
        yield
        await broker.stop()

    app = FastAPI(title="Clickstream", lifespan=lifespan, docs_url=None, redoc_url=None)
    senders = Senders(api.trusted_proxies, truncate_ip=api.truncate_ip)
    app.state.services = Services(settings, broker, Admission(settings), senders)
    app.add_middleware(CrossOrigin, origins=Origins(api.cors_origins).pattern)
    app.add_middleware(Observed)
    faults.register(app)
    for routes in (events, health, pages):
        app.include_router(routes.router)
    describe(app, settings)
    return app
