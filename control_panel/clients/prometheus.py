"""What the panel asks Prometheus: the panels of the dashboards that lie in `monitoring/grafana`."""

import time
from functools import cache
from typing import Final

from clickstream.settings import get_settings
from control_panel.clients.readings import shared
from monitoring.grafana.reading import Answer, Dashboard, Panel, Span, ask, load_dashboards
from monitoring.prometheus_api import Alert, PrometheusApi

ALL_SERVICES: Final = ".*"
_SECONDS: Final = 4.0


@cache
def dashboards() -> dict[str, Dashboard]:
    """The dashboards, by the name of their file."""
    return dict(load_dashboards())


@shared(_SECONDS)
def panel_answers(dashboard: str, panel_id: int, minutes: int, service: str) -> list[Answer]:
    """What a panel shows of the last minutes."""
    monitoring = get_settings().monitoring
    end = time.time()
    span = Span(end - 60 * minutes, end, monitoring.scrape_interval_seconds)
    return ask(_api(), panel_of(dashboard, panel_id), span, service)


@shared(_SECONDS)
def alerts() -> list[Alert]:
    """The alerts that fire or wait for their time."""
    return _api().alerts()


@shared(_SECONDS)
def seconds_since_last_metric() -> float:
    """How long Prometheus has stored nothing, as on a full disk; 0 if it has stored nothing for a day."""
    latest = "max_over_time(timestamp(up)[1h:15s]) or max_over_time(timestamp(up)[1d:5m])"
    found = _api().at(f"time() - max({latest})")
    return found[0].points[0][1] if found else 0.0


@shared(60)
def service_names(dashboard: str) -> list[str]:
    """What the variable `service` of a dashboard can be."""
    metric, label = dashboards()[dashboard].service_values
    return _api().label_values(label, metric)


def panel_of(dashboard: str, panel_id: int) -> Panel:
    """A panel by its number."""
    return next(panel for panel in dashboards()[dashboard].panels if panel.id == panel_id)


@cache
def _api() -> PrometheusApi:
    return PrometheusApi.of(get_settings().monitoring)
