"""Retries, against a real server that fails in the ways that servers fail."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from generator.live.account import Account
from generator.live.options import Source
from generator.live.sender import Sender
from generator.live.transports import HttpTransport
from generator.live.wire import Parcel, Tally

LOST = 0
"""In place of a status: the connection ends without an answer."""

PATIENCE_SECONDS = 20.0


@dataclass
class FailingApi:
    """Answers as planned, then 202; remembers what it got."""

    url: str = ""
    plan: list[int] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    retry_after: str = ""

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        body = handler.rfile.read(int(handler.headers["content-length"]))
        self.bodies.append(body)
        status = self.plan.pop(0) if self.plan else 202
        if status == LOST:
            handler.close_connection = True
            return
        events = len(json.loads(body))
        text = json.dumps({"accepted": events, "rejected": 0, "errors": []}).encode()
        handler.send_response(status)
        handler.send_header("content-length", str(len(text)))
        if self.retry_after:
            handler.send_header("retry-after", self.retry_after)
        handler.end_headers()
        handler.wfile.write(text)


@pytest.fixture
def api() -> Iterator[FailingApi]:
    failing = FailingApi()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            failing.answer(self)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    failing.url = f"http://127.0.0.1:{server.server_port}/events"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield failing
    server.shutdown()
    thread.join()
    server.server_close()


MakeSender = Callable[[Account, str], Sender]


@pytest.fixture
def make_sender() -> Iterator[MakeSender]:
    senders: list[Sender] = []

    def make(account: Account, url: str) -> Sender:
        transport = HttpTransport(url, {}, 2)
        senders.append(Sender(Source.HTTP, transport, account, lambda _: None, 2))
        return senders[-1]

    yield make
    for sender in senders:
        sender.close()


def make_parcel(account: Account) -> Parcel:
    return Parcel(account.next_number(), Source.HTTP, b'[{"id":1},{"id":2}]', Tally(valid=2))


@pytest.mark.parametrize(
    ("plan", "uncertain"),
    [
        pytest.param([202], 0, id="at once"),
        pytest.param([422], 0, id="all events refused, which is an answer too"),
        pytest.param([429, 429, 202], 0, id="over the rate"),
        pytest.param([401, 202], 0, id="key missing"),
        pytest.param([503, 202], 2, id="broker away"),
        pytest.param([500, 202], 2, id="server fails"),
        pytest.param([LOST, LOST, 202], 4, id="answer lost twice"),
    ],
)
def test_a_parcel_is_repeated_unchanged_and_counted_once(
    api: FailingApi, make_sender: MakeSender, plan: list[int], uncertain: int
) -> None:
    account = Account()
    api.plan = list(plan)
    sender = make_sender(account, api.url)
    parcel = make_parcel(account)

    sender.send(parcel)

    assert sender.drain(PATIENCE_SECONDS)
    assert api.bodies == [parcel.body] * len(plan)
    totals = account.totals()[Source.HTTP]
    assert totals.acknowledged == Tally(valid=2)
    assert totals.uncertain.events == uncertain
    assert sender.retries == len(plan) - 1
    assert sender.problem == ""


def test_an_api_that_is_away_is_named_and_nothing_is_uncertain(make_sender: MakeSender) -> None:
    account = Account()
    sender = make_sender(account, "http://127.0.0.1:9/events")
    sender.send(make_parcel(account))

    assert not sender.drain(0.5)
    assert "http://127.0.0.1:9/events does not answer" in sender.problem
    assert account.totals()[Source.HTTP].uncertain == Tally()
    assert len(account.unacknowledged(Source.HTTP)) == 1


def test_the_wish_of_the_server_to_wait_is_respected(api: FailingApi, make_sender: MakeSender) -> None:
    account = Account()
    api.plan, api.retry_after = [429, 202], "1"
    sender = make_sender(account, api.url)
    started = time.monotonic()
    sender.send(make_parcel(account))

    assert sender.drain(PATIENCE_SECONDS)
    assert time.monotonic() - started >= 0.8


def test_what_a_dead_process_left_is_sent_again_and_called_uncertain(
    api: FailingApi, make_sender: MakeSender
) -> None:
    account = Account()
    parcel = make_parcel(account)
    account.record_sent(parcel)

    sender = make_sender(account, api.url)
    sender.resume(account.unacknowledged(Source.HTTP))

    assert sender.drain(PATIENCE_SECONDS)
    assert api.bodies == [parcel.body]
    totals = account.totals()[Source.HTTP]
    assert (totals.acknowledged, totals.uncertain) == (Tally(valid=2), Tally(valid=2))


def test_no_more_are_under_way_than_there_are_places(make_sender: MakeSender) -> None:
    account, stop = Account(), threading.Event()
    sender = make_sender(account, "http://127.0.0.1:9/events")
    for _ in range(4):
        assert sender.wait_for_place(stop)
        sender.send(make_parcel(account))

    threading.Timer(0.3, stop.set).start()
    assert not sender.wait_for_place(stop)
