"""The pipeline `stream_events` as a process of its own, in Mage's environment; with metrics and health.

Mage's scheduler would run it as well, but a process that the supervisor looks after comes back at once when
it dies, is stopped in order, and does not depend on the server with the editor.
"""

import logging
import signal
import sys
import threading
from collections.abc import Callable, Iterable
from http import HTTPStatus
from socketserver import ThreadingMixIn
from typing import Any, Final
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from mage_ai.cli.main import app
from prometheus_client import make_wsgi_app

from clickstream.etl import stream
from clickstream.logs import JsonFormatter, message_in
from clickstream.settings import get_settings
from serving.host_names import allowed_host_check, unknown_host_message
from stack.mage_server import cut_connections
from stack.services import MAGE_PROJECT

PIPELINE: Final = "stream_events"


class LineFormatter(JsonFormatter):
    """Mage logs JSON of its own, with much that says nothing; of that, what happened is kept."""

    def format(self, record: logging.LogRecord) -> str:
        """The line of any other service, with the message out of Mage's."""
        record.msg, record.args = message_in(record.getMessage()), None
        return super().format(record)


class MetricsServer(ThreadingMixIn, WSGIServer):
    """Answers each request in a thread, so that one that hangs stops no other."""

    daemon_threads = True


class QuietHandler(WSGIRequestHandler):
    """Logs no requests, and gives up on clients that send nothing."""

    timeout = 30

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- the base class names it so
        """Nothing."""


def serve(host: str, port: int, allowed_hosts: str) -> None:
    """Serve `/metrics` and `/health` from a thread, under the names that `allowed_hosts` lists."""
    is_allowed = allowed_host_check(allowed_hosts)

    def answer_under_known_names(
        environment: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        name = environment.get("HTTP_HOST", "")
        if is_allowed(name):
            return answer(environment, start_response)
        message = unknown_host_message(name, "CLICKSTREAM_MONITORING__ALLOWED_HOSTS")
        return _answer_text(start_response, HTTPStatus.MISDIRECTED_REQUEST, message)

    server = make_server(
        host, port, answer_under_known_names, server_class=MetricsServer, handler_class=QuietHandler
    )
    threading.Thread(target=server.serve_forever, name="metrics", daemon=True).start()


def answer(environment: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """A WSGI application: health for `/health`, metrics for anything else."""
    if environment.get("PATH_INFO") != "/health":
        metrics: Iterable[bytes] = make_wsgi_app()(environment, start_response)
        return metrics
    problem = stream.stream_problem()
    if problem is None:
        status, text = HTTPStatus.OK, "The stream does its work."
    else:
        # 424 says that another service is at fault, so that a restart would not help.
        status = HTTPStatus.SERVICE_UNAVAILABLE if problem.is_own else HTTPStatus.FAILED_DEPENDENCY
        text = problem.text
    return _answer_text(start_response, status, text)


def _answer_text(start_response: Callable[..., Any], status: HTTPStatus, text: str) -> Iterable[bytes]:
    start_response(f"{status.value} {status.phrase}", [("Content-Type", "text/plain; charset=utf-8")])
    return [f"{text}\n".encode()]


def log_to_standard_error() -> None:
    """Have what the pipeline says in the service's log; Mage makes no file where there is a handler."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(LineFormatter("stream_events"))
    logging.getLogger(PIPELINE).addHandler(handler)
    logging.getLogger(PIPELINE).propagate = False
    # A line for each try to connect; the stream itself says what is away, once for each of its own.
    for name in ("kafka", "urllib3", "clickhouse_connect"):
        logging.getLogger(name).setLevel(logging.CRITICAL)


def main() -> None:
    """Run the pipeline until a signal ends it."""
    settings = get_settings()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stream.request_stop())
    serve(settings.stack.host, settings.broker.stream_port, settings.monitoring.allowed_hosts)
    cut_connections()
    log_to_standard_error()
    app(["run", str(MAGE_PROJECT), PIPELINE])


if __name__ == "__main__":
    main()
