"""Makes the application."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from api import faults
from api.admission import Admission, Origins
from api.broker import Broker
from api.deps import Services
from api.middleware import CrossOrigin, Observed, refuse_host
from api.openapi import describe
from api.recent_ids import RecentIds
from api.routes import events, health, operators, pages
from api.senders import Senders
from api.tracing import Tracer
from clickstream.settings import Settings
from serving.host_names import allowed_host_check
from serving.hosts import KnownHosts


def create_app(settings: Settings) -> FastAPI:
    """The HTTP service; it connects to the broker when it starts and delivers what waits when it stops."""
    api = settings.api
    broker = Broker(settings.broker, api)
    tracer = Tracer(settings.clickhouse)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        await broker.start()
        yield
        tracer.close()
        await broker.stop()

    # A redirect of the framework's would lead to whatever host the sender named.
    app = FastAPI(
        title="Clickstream", lifespan=lifespan, docs_url=None, redoc_url=None, redirect_slashes=False
    )
    senders = Senders(api.trusted_proxies, truncate_ip=api.truncate_ip)
    app.state.services = Services(settings, broker, Admission(settings), senders, tracer, RecentIds())
    app.add_middleware(CrossOrigin, origins=Origins(api.cors_origins).pattern)
    hosts = f"{api.allowed_hosts},{api.host},{settings.stack.host}"
    app.add_middleware(
        KnownHosts,
        is_allowed=allowed_host_check(hosts),
        setting_name="CLICKSTREAM_API__ALLOWED_HOSTS",
        refuse=refuse_host,
    )
    app.add_middleware(Observed)
    faults.register(app)
    for routes in (events, operators, health, pages):
        app.include_router(routes.router)
    describe(app, settings)
    return app
