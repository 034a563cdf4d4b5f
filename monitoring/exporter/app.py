"""The exporter over HTTP: `/metrics`, `/components` and health."""

import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from http import HTTPStatus

import msgspec
from prometheus_client import CollectorRegistry, PlatformCollector, ProcessCollector, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from clickstream.settings import Settings
from monitoring.exporter.broker import BrokerLag
from monitoring.exporter.components import ComponentStates, read_components
from monitoring.exporter.elsewhere import ForeignServer, foreign_servers
from monitoring.exporter.probes import Probe, ProbeCollector
from monitoring.exporter.processes import ComponentUse, DiskUse, ReportedUse
from monitoring.exporter.warehouse import Warehouse, look_at_activity, look_at_events
from serving.host_names import allowed_host_check
from serving.hosts import KnownHosts
from stack.paths import StackPaths

_USE_SECONDS = 15.0


def make_probes(settings: Settings) -> Sequence[Probe]:
    """All probes; none looks yet."""
    paths = StackPaths(settings.stack.data_path)
    often = float(settings.monitoring.scrape_interval_seconds)
    # In a container there is no supervisor whose processes could be measured.
    use = ComponentUse(paths) if paths.supervisor_config.exists() else ReportedUse(paths)
    return (
        Probe("components", ComponentStates(paths.health), min(often, settings.stack.health_check_seconds)),
        Probe("processes", use, _USE_SECONDS),
        Probe("disk", DiskUse(paths), often),
        Probe("broker", BrokerLag(settings.broker), often),
        Probe("activity", Warehouse(settings.clickhouse, look_at_activity), _USE_SECONDS),
        Probe(
            "events",
            Warehouse(settings.clickhouse, look_at_events),
            settings.monitoring.warehouse_interval_seconds,
        ),
    )


def create_app(settings: Settings) -> Starlette:
    """The exporter; its probes look for as long as it runs."""
    probes = make_probes(settings)
    servers = [ForeignServer(name, *how, settings) for name, how in foreign_servers(settings).items()]
    report = StackPaths(settings.stack.data_path).health
    registry = CollectorRegistry(auto_describe=False)
    registry.register(ProbeCollector(probes))
    ProcessCollector(registry=registry)
    PlatformCollector(registry=registry)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        threads: Sequence[Probe | ForeignServer] = (*probes, *servers)
        for thread in threads:
            thread.start()
        yield
        for thread in threads:
            thread.stop()

    def get_metrics(_: Request) -> Response:
        return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)

    def get_components(_: Request) -> Response:
        found = read_components(report, datetime.now(UTC))
        return Response(msgspec.json.encode(found), media_type="application/json")

    async def get_health(_: Request) -> Response:
        hanging = [probe.name for probe in probes if probe.hangs(time.monotonic())]
        if hanging:
            text = f"These probes have hung for minutes: {', '.join(hanging)}."
            return PlainTextResponse(f"{text}\n", HTTPStatus.SERVICE_UNAVAILABLE)
        return PlainTextResponse("The exporter answers.\n")

    routes = [
        Route("/metrics", get_metrics),
        Route("/components", get_components),
        Route("/health/live", get_health),
    ]
    known_hosts = Middleware(
        KnownHosts,
        is_allowed=allowed_host_check(settings.monitoring.allowed_hosts),
        setting_name="CLICKSTREAM_MONITORING__ALLOWED_HOSTS",
        refuse=_refuse_host,
    )
    return Starlette(routes=routes, middleware=[known_hosts], lifespan=lifespan)


def _refuse_host(message: str) -> Response:
    return PlainTextResponse(f"{message}\n", HTTPStatus.MISDIRECTED_REQUEST)
