"""The page Monitoring with a Prometheus that answers."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from streamlit.testing.v1 import AppTest

from monitoring.alerts.runbook import runbook_entry

ALERT = {
    "labels": {"alertname": "ComponentDown", "severity": "critical", "component": "kafka"},
    "annotations": {"summary": "kafka does not do its work", "description": "It has been stopped for 20s."},
    "state": "firing",
    "activeAt": "2026-11-26T20:00:00Z",
}


class _Prometheus(BaseHTTPRequestHandler):
    """Knows one alert, and no series."""

    def do_GET(self) -> None:
        data = {"alerts": [ALERT]} if self.path.startswith("/api/v1/alerts") else {"result": []}
        body = json.dumps({"status": "success", "data": [] if "/label/" in self.path else data}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing."""


@pytest.fixture
def prometheus(nothing_runs: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Prometheus)
    monkeypatch.setenv("CLICKSTREAM_MONITORING__PROMETHEUS_PORT", str(server.server_port))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield
    server.shutdown()
    server.server_close()


def _draw() -> None:
    from control_panel.pages import monitoring  # noqa: PLC0415 -- the function is run as a script of its own

    monitoring.render()


@pytest.mark.usefixtures("prometheus")
def test_an_alert_that_fires_is_followed_by_what_to_do_about_it() -> None:
    app = AppTest.from_function(_draw, default_timeout=30).run()

    assert [one.message for one in app.exception] == []
    assert ["kafka does not do its work" in one.value for one in app.error] == [True]
    [entry] = [one for one in app.expander if one.label == "What to do about ComponentDown"]
    assert [one.value for one in entry.markdown] == [runbook_entry("ComponentDown")]
