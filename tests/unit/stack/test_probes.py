"""What a service must do to be healthy, and who is at fault when it does not."""

import json
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from clickstream.settings import Settings
from stack.paths import StackPaths
from stack.patience import MOST, patience
from stack.probes import (
    LATE_SECONDS,
    Problem,
    api_is_ready,
    clickhouse_selects,
    kafka_serves,
    mage_schedules,
    stream_moves,
)

TIMEOUT = 2.0
Answer = tuple[int, str, str]
"""Status, content type and body."""


@contextmanager
def answering(answer_to: Callable[[BaseHTTPRequestHandler], Answer]) -> Iterator[str]:
    """A server that answers each request so; gives its `host:port`."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, content_type, body = answer_to(self)
            self.send_response(status)
            self.send_header("Content-Type", content_type)
            self.end_headers()
            self.wfile.write(body.encode())

        do_POST = do_GET  # noqa: N815 -- the base class names it so

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 -- the base class names it so
            """Nothing."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"127.0.0.1:{server.server_port}"
        server.shutdown()


def text(status: int, body: str) -> Callable[[BaseHTTPRequestHandler], Answer]:
    return lambda _request: (status, "text/plain; charset=utf-8", body)


def test_an_api_that_lacks_the_broker_is_shown_and_not_restarted(settings: Settings) -> None:
    body = {"status": "not ready", "dependencies": {"broker": {"status": "away", "message": "It is away."}}}
    with answering(lambda _request: (503, "application/json", json.dumps(body))) as address:
        problem = api_is_ready(settings, address, TIMEOUT)

    assert problem == Problem("takes no events: It is away.", is_own=False)


def test_an_api_that_breaks_is_at_fault_itself(settings: Settings) -> None:
    with answering(text(500, "broken\n")) as address:
        assert api_is_ready(settings, address, TIMEOUT) == Problem("answers 500: broken")


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        pytest.param(200, None, id="works"),
        pytest.param(503, Problem("answers 503: it stands still"), id="at-fault-itself"),
        pytest.param(424, Problem("answers 424: it stands still", is_own=False), id="waits-for-another"),
    ],
)
def test_a_stream_says_who_is_at_fault(settings: Settings, status: int, expected: Problem | None) -> None:
    with answering(text(status, "it stands still\n")) as address:
        assert stream_moves(settings, address, TIMEOUT) == expected


@pytest.mark.parametrize(
    ("answered", "is_healthy", "is_own"),
    [
        pytest.param({"clickstream_reader", "clickstream_writer"}, True, False, id="both-users"),
        pytest.param({"clickstream_writer"}, False, False, id="the-reader-waits-for-its-own-statements"),
        pytest.param(set(), False, True, id="no-user"),
    ],
)
def test_clickhouse_must_run_a_statement(
    settings: Settings, answered: set[str], is_healthy: bool, is_own: bool
) -> None:
    def answer(request: BaseHTTPRequestHandler) -> Answer:
        is_answered = request.headers["X-ClickHouse-User"] in answered
        return (200, "text/plain", "1\n") if is_answered else (500, "text/plain", "too many statements")

    with answering(answer) as address:
        problem = clickhouse_selects(settings, address, TIMEOUT)

    assert (problem is None) is is_healthy
    assert problem is None or (problem.is_own, "too many statements" in problem.text) == (is_own, True)


def test_a_port_that_speaks_no_kafka_is_not_healthy(settings: Settings) -> None:
    with answering(text(200, "")) as address:
        broker = settings.broker.model_copy(update={"external_servers": address})
        problem = kafka_serves(settings.model_copy(update={"broker": broker}), address, 0.5)

    assert problem is not None
    assert problem.text.startswith("tells no topics within ")


@pytest.fixture
def beat_file(settings: Settings) -> Path:
    path = StackPaths(settings.stack.data_path).scheduler_beat
    path.parent.mkdir(parents=True)
    return path


def beat(path: Path, **changes: object) -> None:
    path.write_text(json.dumps({"pid": os.getpid(), "beat_at": time.time(), "late": "", **changes}))


def test_a_scheduler_that_beats_is_healthy(settings: Settings, beat_file: Path) -> None:
    beat(beat_file)

    assert mage_schedules(settings, "", TIMEOUT) is None


def test_a_scheduler_that_is_late_gets_a_while_to_catch_up(settings: Settings, beat_file: Path) -> None:
    beat(beat_file, late="trigger every_minute of process_events has been due for 90 s")

    problem = mage_schedules(settings, "", TIMEOUT)

    assert problem is not None
    assert problem.text.endswith("trigger every_minute of process_events has been due for 90 s")
    assert (problem.is_own, problem.lasts_seconds) == (True, LATE_SECONDS)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        pytest.param({"pid": 2**22 + 1}, "has lost its scheduler", id="dead"),
        pytest.param({"beat_at": 0.0}, "has a scheduler that has not looked for due runs for ", id="silent"),
        pytest.param({"pid": "?"}, "has a scheduler whose sign of life can't be read", id="unreadable"),
    ],
)
def test_a_scheduler_without_a_sign_of_life_is_not_healthy(
    settings: Settings, beat_file: Path, changes: dict[str, object], said: str
) -> None:
    beat(beat_file, **changes)

    problem = mage_schedules(settings, "", TIMEOUT)

    assert problem is not None
    assert problem.text.startswith(said)


def test_a_scheduler_that_never_beat_is_not_healthy(settings: Settings) -> None:
    assert mage_schedules(settings, "", TIMEOUT) == Problem("has no scheduler yet")


@pytest.mark.parametrize(
    ("load", "expected"),
    [
        pytest.param(0.1, 1.0, id="idle"),
        pytest.param(33.0, 16.5, id="busy"),
        pytest.param(1e6, MOST, id="hopeless"),
    ],
)
def test_waits_grow_with_the_load(monkeypatch: pytest.MonkeyPatch, load: float, expected: float) -> None:
    monkeypatch.setattr(os, "getloadavg", lambda: (load, 0.0, 0.0))
    monkeypatch.setattr(os, "cpu_count", lambda: 2)

    assert patience() == expected
