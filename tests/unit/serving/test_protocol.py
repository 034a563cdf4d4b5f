"""Requests that are endless or do not arrive, on the first and on later requests of a connection."""

import asyncio
import contextlib
import socket
import threading
import time
from collections.abc import Iterator

import pytest
import uvicorn
from starlette.types import Receive, Scope, Send
from websockets.sync.client import connect

from serving.protocol import MAX_HEAD_BYTES, BoundedProtocol
from tests.waiting import wait_until

HEAD_SECONDS = 0.6
BODY_SECONDS = 1.2
GET = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
POST = b"POST / HTTP/1.1\r\nHost: localhost\r\n"
POST_UNREAD = b"POST /early HTTP/1.1\r\nHost: localhost\r\n"
ANSWER = b"HTTP/1.1 200 OK"


class _QuickProtocol(BoundedProtocol):
    head_seconds = HEAD_SECONDS
    body_seconds = BODY_SECONDS


async def _app(scope: Scope, receive: Receive, send: Send) -> None:
    """Answers once it has the body; sends back what comes by a websocket."""
    if scope["type"] == "websocket":
        await _echo(receive, send)
        return
    length = 0
    more = scope["path"] != "/early"
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        length += len(message.get("body", b""))
        more = message.get("more_body", False)
    if any(name == b"x-trailer" for name, _ in scope["headers"]):
        length = -1
    text = str(length).encode()
    await send(
        {"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(text))]}
    )
    await send({"type": "http.response.body", "body": text})


async def _echo(receive: Receive, send: Send) -> None:
    while (message := await receive())["type"] != "websocket.disconnect":
        if message["type"] == "websocket.connect":
            await send({"type": "websocket.accept"})
        else:
            await send({"type": "websocket.send", "text": message["text"]})


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    config = uvicorn.Config(
        _app,
        port=0,
        http=_QuickProtocol,
        ws="websockets-sansio",
        lifespan="off",
        log_config=None,
        access_log=False,
        timeout_keep_alive=60,
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=asyncio.run, args=(server.serve(),))
    thread.start()
    wait_until(lambda: server.started, "the server has started")
    yield server.servers[0].sockets[0].getsockname()[1]
    server.should_exit = True
    thread.join()


@contextlib.contextmanager
def connected(port: int) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", port), 10) as connection:
        yield connection


def read_answer(connection: socket.socket) -> bytes:
    """The head and the body of one answer."""
    answer = b""
    while True:
        piece = connection.recv(65_536)
        assert piece, f"closed after {answer!r}"
        answer += piece
        head, end, body = answer.partition(b"\r\n\r\n")
        if end and len(body) == int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0]):
            return answer


def is_closed(connection: socket.socket) -> bool:
    """Whether the server ends the connection, with or without an answer, within the socket's patience."""
    with contextlib.suppress(ConnectionError):
        while connection.recv(65_536):
            pass
    return True


def drip(connection: socket.socket, piece: bytes, seconds: float) -> bool:
    """Sends a piece again and again; whether the server ended the connection before the time was up."""
    until = time.monotonic() + seconds
    connection.settimeout(0.05)
    while time.monotonic() < until:
        try:
            connection.sendall(piece)
            if connection.recv(65_536) == b"":
                return True
        except TimeoutError:
            continue
        except ConnectionError:
            return True
    return False


def test_silence_after_connecting_is_ended(port: int) -> None:
    with connected(port) as connection:
        assert is_closed(connection)


@pytest.mark.parametrize("earlier", [0, 1, 3])
@pytest.mark.parametrize(
    ("start", "piece"),
    [
        pytest.param(b"GET / HTTP/1.1\r\nX-Slow: ", b"x", id="header"),
        pytest.param(b"GET /", b"x", id="address"),
        pytest.param(b"G", b"", id="method"),
        pytest.param(b"\r\n", b"\r\n", id="line breaks"),
        pytest.param(GET[:-2], b"X-One: more\r\n", id="headers"),
    ],
)
def test_a_head_that_drips_in_is_ended_on_every_request(
    port: int, earlier: int, start: bytes, piece: bytes
) -> None:
    with connected(port) as connection:
        for _ in range(earlier):
            connection.sendall(GET)
            assert read_answer(connection).startswith(ANSWER)
        connection.sendall(start)
        assert drip(connection, piece, 20) if piece else is_closed(connection)


@pytest.mark.parametrize(
    ("start", "piece"),
    [
        pytest.param(POST + b"Content-Length: 100000\r\n\r\n", b"x", id="body"),
        pytest.param(POST + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n", id="chunks"),
        pytest.param(POST + b"Transfer-Encoding: chunked\r\n\r\n0\r\n", b"X-One: more\r\n", id="trailers"),
        pytest.param(
            POST.replace(b"/", b"/early", 1) + b"Content-Length: 100000\r\n\r\n", b"x", id="unread body"
        ),
    ],
)
def test_a_body_that_drips_in_is_ended(port: int, start: bytes, piece: bytes) -> None:
    with connected(port) as connection:
        connection.sendall(start)
        assert drip(connection, piece, 20)


def test_a_trailer_is_no_header(port: int) -> None:
    with connected(port) as connection:
        connection.sendall(POST + b"Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\nX-Trailer: x\r\n\r\n")
        assert read_answer(connection).endswith(b"\r\n\r\n1")


@pytest.mark.parametrize("earlier", [0, 2])
@pytest.mark.parametrize("filler", [b"x", b"\r\nX-Filler: x"], ids=["one header", "many headers"])
def test_an_endless_head_is_refused_on_every_request(port: int, earlier: int, filler: bytes) -> None:
    with connected(port) as connection:
        for _ in range(earlier):
            connection.sendall(GET)
            read_answer(connection)
        head = GET[:-4] + b"\r\nX-Filler: x"
        # No byte more than it takes: with unread ones, the answer would be lost to a reset.
        connection.sendall((head + filler * MAX_HEAD_BYTES)[: MAX_HEAD_BYTES + 1])
        assert read_answer(connection).startswith(b"HTTP/1.1 431 ")


@pytest.mark.parametrize(
    "filler",
    [
        pytest.param(b"0\r\n" + b"X-One: more\r\n" * 200_000, id="trailers"),
        pytest.param(b"0\r\nX-One: " + b"x" * 2_000_000, id="one trailer"),
        pytest.param(b"1;" + b"x" * 2_000_000, id="extension of a chunk"),
        pytest.param(b"1\r\nx\r\n" * 200_000, id="smallest chunks"),
    ],
)
def test_endless_framing_of_a_body_is_ended(port: int, filler: bytes) -> None:
    with connected(port) as connection, contextlib.suppress(ConnectionError):
        connection.sendall(POST + b"Transfer-Encoding: chunked\r\n\r\n" + filler)
        assert is_closed(connection)


def test_ordinary_requests_pass_one_after_the_other_and_at_once(port: int) -> None:
    chunked = (
        POST
        + b"Transfer-Encoding: chunked\r\n\r\n"
        + b"8\r\nxxxxxxxx\r\n" * 2_000
        + b"1F4\r\n"
        + b"x" * 500
        + b"\r\n"
        + b"0\r\n\r\n"
    )
    large = POST + b"X-Large: " + b"x" * 60_000 + b"\r\nContent-Length: 5\r\n\r\nabcde"
    with connected(port) as connection:
        for request, length in ((GET, b"0"), (large, b"5"), (chunked, b"16500"), (GET, b"0")):
            connection.sendall(request)
            assert read_answer(connection).endswith(b"\r\n\r\n" + length)
        connection.sendall(GET * 5_000)
        answers = b""
        while answers.count(ANSWER) < 5_000:
            answers += connection.recv(65_536)


@pytest.mark.parametrize(
    "pieces",
    [[GET], [POST + b"Content-Length: 5\r\n\r\n", b"abcde"]],
    ids=["request at once", "request in pieces"],
)
def test_an_idle_connection_is_kept_beyond_the_time_for_a_head(port: int, pieces: list[bytes]) -> None:
    with connected(port) as connection:
        for piece in pieces:
            time.sleep(0.05)
            connection.sendall(piece)
        read_answer(connection)
        time.sleep(1.5 * HEAD_SECONDS)
        connection.sendall(GET)
        assert read_answer(connection).startswith(ANSWER)


def test_a_websocket_lasts_longer_than_a_request_may(port: int) -> None:
    until = time.monotonic() + 1.5 * BODY_SECONDS
    with connect(f"ws://127.0.0.1:{port}/") as websocket:
        while time.monotonic() < until:
            websocket.send("still here?")
            assert websocket.recv(timeout=20) == "still here?"
