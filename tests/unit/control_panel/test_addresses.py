"""Where the panel's links lead."""

import pytest
from pydantic import ValidationError

from clickstream.settings import PanelSettings, get_settings
from control_panel.clients.addresses import editor_url, service_links


@pytest.fixture
def settings(nothing_runs: None, monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    return monkeypatch


def urls(host: str = "panel.example") -> dict[str, str]:
    get_settings.cache_clear()
    return {link.title: link.url for link in service_links(host)}


def test_links_lead_to_the_ports_of_the_settings(settings: pytest.MonkeyPatch) -> None:
    for name, port in (("API", 18000), ("MAGE", 16789), ("SUPERSET", 18088)):
        settings.setenv(f"CLICKSTREAM_{name}__PORT", str(port))
    settings.setenv("CLICKSTREAM_MONITORING__PROMETHEUS_PORT", "19090")

    assert urls() == {
        "Superset": "http://panel.example:18088",
        "Mage": "http://panel.example:16789",
        "API": "http://panel.example:18000/docs",
        "Demo shop": "http://panel.example:18000/demo",
        "Prometheus": "http://panel.example:19090",
    }
    assert editor_url("[::1]", "load_csv") == "http://[::1]:16789/pipelines/load_csv/edit"


def test_links_lead_to_published_ports_and_to_addresses_of_a_proxy(settings: pytest.MonkeyPatch) -> None:
    settings.setenv("CLICKSTREAM_PANEL__API_LINK", "https://events.shop.example/")
    settings.setenv("CLICKSTREAM_PANEL__MAGE_LINK", ":26789")
    settings.setenv("CLICKSTREAM_PANEL__GRAFANA_LINK", ":23000")

    found = urls()

    assert found["API"] == "https://events.shop.example/docs"
    assert found["Demo shop"] == "https://events.shop.example/demo"
    assert found["Mage"] == "http://panel.example:26789"
    assert found["Grafana"] == "http://panel.example:23000"
    assert editor_url("panel.example", "load_csv") == "http://panel.example:26789/pipelines/load_csv/edit"


@pytest.mark.parametrize("link", ["8080", "javascript:alert(1)", "https://a b", "https://a)[x](b", ":x"])
def test_what_is_neither_a_url_nor_a_port_is_refused(link: str) -> None:
    with pytest.raises(ValidationError, match="api_link"):
        PanelSettings(api_link=link)
