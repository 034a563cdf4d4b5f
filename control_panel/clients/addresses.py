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
        host: The host name under which the browser has opened the panel; the services are on the same one.
    """
    settings = get_settings()
    api = f"http://{host}:{settings.api.port}"
    return [
        Link("Superset", f"http://{host}:{settings.superset.port}", "Dashboards for everybody"),
        Link("Mage", f"http://{host}:{settings.mage.port}", "Editor of the pipelines"),
        Link("API", f"{api}/docs", "How to send events, with forms to try it"),
        Link("Demo shop", f"{api}/demo", "A page with the tracker: click, and watch the events arrive"),
        Link("Prometheus", f"http://{host}:{settings.monitoring.prometheus_port}", "Metrics and alerts"),
    ]
