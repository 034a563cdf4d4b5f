"""Where a browser finds the other services."""

from dataclasses import dataclass

from clickstream.settings import get_settings


@dataclass(frozen=True, slots=True)
class Link:
    """A place to go to.

    Attributes:
        title: Its name.
        url: Its address.
        purpose: What it is for.
    """

    title: str
    url: str
    purpose: str


def service_links(host: str) -> list[Link]:
    """Links to the other services.

    Args:
        host: The host name under which the browser has opened the panel. The services are on the same one,
            unless the settings name another address.
    """
    settings = get_settings()
    panel = settings.panel
    api = _base(panel.api_link, host, settings.api.port)
    found = [
        Link(
            "Superset", _base(panel.superset_link, host, settings.superset.port), "Dashboards for everybody"
        ),
        Link("Mage", _mage(host), "Editor of the pipelines"),
        Link("API", f"{api}/docs", "How to send events, with forms to try it"),
        Link("Demo shop", f"{api}/demo", "A page with the tracker: click, and watch the events arrive"),
        Link(
            "Prometheus",
            _base(panel.prometheus_link, host, settings.monitoring.prometheus_port),
            "Metrics and alerts",
        ),
    ]
    if panel.grafana_link:
        grafana = _base(panel.grafana_link, host, settings.monitoring.grafana_port)
        found.append(Link("Grafana", grafana, "Dashboards of the metrics"))
    return found


def editor_url(host: str, pipeline: str) -> str:
    """The address of Mage's editor at a pipeline, for a browser that opened the panel under a host name."""
    return f"{_mage(host)}/pipelines/{pipeline}/edit"


def _mage(host: str) -> str:
    settings = get_settings()
    return _base(settings.panel.mage_link, host, settings.mage.port)


def _base(link: str, host: str, port: int) -> str:
    """The address that a setting `…_link` stands for, without a slash at the end."""
    if link.startswith(":"):
        return f"http://{host}{link}"
    return link.rstrip("/") or f"http://{host}:{port}"
