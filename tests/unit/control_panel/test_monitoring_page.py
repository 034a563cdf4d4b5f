"""The page Monitoring while an alert fires."""

import json
import threading
from collections import OrderedDict
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from streamlit.testing.v1 import AppTest

from control_panel.clients import prometheus
from control_panel.clients.exporter import components
from control_panel.clients.prometheus import (
    alerts,
    dashboards,
    panel_answers,
    seconds_since_last_metric,
    service_names,
)
from monitoring.alerts.runbook import docker_equivalents, runbook_entry
from tests.unit.control_panel.drawn import wait_for
from tests.waiting import wait_until

ALERT = {
    "labels": {"alertname": "ComponentDown", "severity": "critical", "component": "kafka"},
    "annotations": {"summary": "kafka does not do its work", "description": "It has been stopped for 20s."},
    "state": "firing",
    "activeAt": "2026-11-26T20:00:00Z",
}


LATER = {
    "labels": {"alertname": "BrokerAway", "severity": "critical", "job": "api"},
    "annotations": {"summary": "api does not reach the broker", "description": ""},
    "state": "firing",
    "activeAt": "2026-11-26T19:59:50Z",
}
WARNING = {
    "labels": {"alertname": "DiskFillsUp", "severity": "warning"},
    "annotations": {"summary": "The disk fills", "description": ""},
    "state": "firing",
    "activeAt": "2026-11-26T19:00:00Z",
}
COMPONENT = {
    "name": "kafka",
    "state": "stopped",
    "reason": "",
    "since": "2026-11-26T20:00:00Z",
    "restarts": 0,
    "last_failure_at": None,
    "last_failure_reason": None,
    "address": "127.0.0.1:9092",
}


class _Monitoring(BaseHTTPRequestHandler):
    """Prometheus and the exporter at once: alerts, a component, and no series for four minutes."""

    def do_GET(self) -> None:
        answer: object
        if self.path == "/components":
            answer = {"checked_at": "2026-11-26T20:00:30Z", "components": [COMPONENT]}
        else:
            data = (
                {"alerts": [WARNING, LATER, ALERT]}
                if self.path.startswith("/api/v1/alerts")
                else {"result": [{"metric": {}, "value": [0, "240"]}] if "max_over_time" in self.path else []}
            )
            answer = {"status": "success", "data": [] if "/label/" in self.path else data}
        body = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing."""


@pytest.fixture
def monitoring(nothing_runs: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Monitoring)
    for service in ("PROMETHEUS", "EXPORTER"):
        monkeypatch.setenv(f"CLICKSTREAM_MONITORING__{service}_PORT", str(server.server_port))
    # The panel shares answers between pages for a while; those of this test are for no other.
    for shared in (alerts, components, panel_answers, seconds_since_last_metric, service_names):
        monkeypatch.setattr(shared, "_entries", OrderedDict())
    prometheus._api.cache_clear()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield
    server.shutdown()
    server.server_close()
    prometheus._api.cache_clear()


def _draw() -> None:
    from control_panel.pages import monitoring  # noqa: PLC0415 -- the function is run as a script of its own

    monitoring.render()


@pytest.mark.usefixtures("monitoring")
def test_alerts_come_in_the_order_of_their_urgency_and_say_why_and_what_to_do() -> None:
    app = AppTest.from_function(_draw, default_timeout=120)

    wait_for(app, "BrokerAway", "DiskFillsUp", "Reason: it is stopped")

    [alert, later, *_] = [one.value for one in app.error]
    assert "BrokerAway" in later
    assert "kafka does not do its work" in alert
    assert "Reason: it is stopped. It began" in alert
    assert [one.value.partition(":")[0] for one in app.warning if "DiskFillsUp" in one.value] == [
        "**DiskFillsUp**"
    ]
    [entry] = [one for one in app.expander if one.label == "What to do about ComponentDown"]
    text = runbook_entry("ComponentDown")
    assert "*Components*" in text
    # The tests' data directory has no supervisor, like a container's.
    assert [one.value for one in entry.markdown] == [
        text.replace("*Components*", "[Components](/monitoring?dashboard=clickstream-components)"),
        docker_equivalents(text),
    ]


@pytest.mark.usefixtures("monitoring")
@pytest.mark.parametrize(("name", "uid"), [(name, one.uid) for name, one in dashboards().items()])
def test_an_address_names_a_dashboard_by_its_uid(name: str, uid: str) -> None:
    app = AppTest.from_function(_draw, default_timeout=120)
    app.query_params["dashboard"] = uid

    app.run()

    assert [one.message for one in app.exception] == []
    assert app.session_state["dashboard"] == name


@pytest.mark.usefixtures("monitoring")
def test_figures_of_a_prometheus_that_stores_nothing_are_called_old() -> None:
    app = AppTest.from_function(_draw, default_timeout=60)

    wait_until(
        lambda: any("has stored nothing for 4 min" in one.value for one in app.run().error),
        "the page says so",
    )
