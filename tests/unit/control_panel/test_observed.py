"""The panel's own metrics: what is counted, and that nobody has to sign in for counts."""

import pytest
from prometheus_client.parser import text_string_to_metric_families
from starlette.testclient import TestClient

from tests.unit.control_panel.conftest import ORIGIN, sign_in


def value(client: TestClient, name: str, **labels: str) -> float:
    families = text_string_to_metric_families(client.get("/metrics").text)
    samples = [sample for family in families for sample in family.samples]
    return sum(one.value for one in samples if one.name == name and labels.items() <= one.labels.items())


@pytest.mark.parametrize(
    ("path", "route", "status"),
    [
        pytest.param("/health", "/health", "200", id="health"),
        pytest.param("/files/seen", "/files", "401", id="without a session"),
        pytest.param("/healthy", "other", "401", id="a path of nobody"),
        pytest.param("/_stcore/metrics", "/_stcore", "404", id="closed"),
    ],
)
def test_each_request_is_counted_under_a_route_of_a_closed_list(
    client: TestClient, path: str, route: str, status: str
) -> None:
    name = "clickstream_panel_requests_total"
    before = value(client, name, route=route, status=status)
    timed = value(client, "clickstream_panel_request_duration_seconds_count", route=route)

    client.get(path)

    assert value(client, name, route=route, status=status) == before + 1
    assert value(client, "clickstream_panel_request_duration_seconds_count", route=route) == timed + 1


def test_a_page_is_open_until_its_connection_ends(client: TestClient) -> None:
    sign_in(client, "viewer", "viewer-password")
    before = value(client, "clickstream_panel_open_pages")

    with client.websocket_connect("ws://127.0.0.1:8501/_stcore/stream", headers={"origin": ORIGIN}):
        assert value(client, "clickstream_panel_open_pages") == before + 1

    assert value(client, "clickstream_panel_open_pages") == before


def test_a_wrong_password_is_counted_and_a_right_one_is_not(client: TestClient) -> None:
    before = value(client, "clickstream_panel_sign_in_failures_total")

    sign_in(client, "viewer", "wrong")
    sign_in(client, "viewer", "viewer-password")

    assert value(client, "clickstream_panel_sign_in_failures_total") == before + 1
