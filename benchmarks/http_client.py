"""Sends requests to `POST /events`, in a process of its own; prints what it saw as JSON.

A client of a few lines on the event loop and the parser that uvicorn brings: it takes a tenth of a core for
4,000 requests a second, so it is not what is measured, and nothing has to be installed for it.

    python -m benchmarks.http_client PORT '{"seconds": 4, "connections": 64, "events_per_body": 1}'
"""

import asyncio
import os
import sys
import time
from collections import deque
from collections.abc import Sequence
from itertools import cycle
from typing import Final

import httptools
import msgspec
import psutil
import uvloop

from benchmarks.bodies import make_bodies

HOST: Final = "127.0.0.1"
_ACCEPTED: Final = 202
_LAST_ANSWERS_SECONDS: Final = 10.0
_REPEATED_EVENTS: Final = 20_000
"""So many different events are sent again and again where it does not matter that they are the same."""


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """What to send.

    Attributes:
        seconds: How long.
        connections: How many requests may be under way at once.
        events_per_body: Events of a request; one travels without an array.
        rate: Requests a second, whether or not earlier ones are answered; 0: each connection sends as soon as
            it has its answer.
        run: Name for events that no other run sends, each once; empty to repeat some.
        server: Process whose time is taken; 0 for none.
    """

    seconds: float
    connections: int
    events_per_body: int
    rate: float = 0.0
    run: str = ""
    server: int = 0


class Outcome(msgspec.Struct, frozen=True):
    """What came of it.

    Attributes:
        sent_at: When each request that was accepted was due, seconds since 1970.
        answer_seconds: How long after that its answer came.
        refused: How many were answered otherwise, or not at all.
        seconds: From the first request to the last answer.
        server_cpu_seconds: The server's time of processor in that time.
        client_cpu_seconds: The client's own.
    """

    sent_at: list[float]
    answer_seconds: list[float]
    refused: int
    seconds: float
    server_cpu_seconds: float
    client_cpu_seconds: float


class Sender:
    """Sends over a few connections, one request under way on each, and notes the answers."""

    def __init__(self, requests: Sequence[bytes]) -> None:
        self._requests = cycle(requests)
        self._idle: list[Connection] = []
        self._due: deque[float] = deque()
        self._under_way = 0
        self.answers: list[tuple[float, float]] = []
        self.refused = 0
        self.repeats_until = 0.0

    async def connect(self, port: int, connections: int) -> None:
        """Opens the connections."""
        loop = asyncio.get_running_loop()
        for _ in range(connections):
            _, connection = await loop.create_connection(lambda: Connection(self), HOST, port)
            self._idle.append(connection)

    async def send_at_once(self, seconds: float) -> None:
        """Keeps each connection busy."""
        self.repeats_until = time.perf_counter() + seconds
        for connection in tuple(self._idle):
            self._idle.remove(connection)
            self._send(connection, time.perf_counter())
        await asyncio.sleep(seconds)
        await self._wait_for_answers()

    async def send_at_rate(self, rate: float, seconds: float) -> None:
        """Sends in step with the clock. Where no connection is free the request waits, which counts."""
        start = time.perf_counter()
        for number in range(round(rate * seconds)):
            due = start + number / rate
            if (early := due - time.perf_counter()) > 0:
                await asyncio.sleep(early)
            if self._idle:
                self._send(self._idle.pop(), due)
            else:
                self._due.append(due)
        await self._wait_for_answers()

    def answered(self, connection: "Connection", due: float, status: int) -> None:
        """Handles an answer; the connection gets its next request, if there is one."""
        now = time.perf_counter()
        self._under_way -= 1
        if status == _ACCEPTED:
            self.answers.append((due, now - due))
        else:
            self.refused += 1
        if self._due:
            self._send(connection, self._due.popleft())
        elif now < self.repeats_until:
            self._send(connection, now)
        else:
            self._idle.append(connection)

    def lost(self, connection: "Connection", *, with_request: bool) -> None:
        """Handles the loss of a connection."""
        self._under_way -= with_request
        self.refused += with_request
        if connection in self._idle:
            self._idle.remove(connection)

    def _send(self, connection: "Connection", due: float) -> None:
        self._under_way += 1
        connection.send(next(self._requests), due)

    async def _wait_for_answers(self) -> None:
        deadline = time.perf_counter() + _LAST_ANSWERS_SECONDS
        while self._under_way and time.perf_counter() < deadline:
            await asyncio.sleep(0.001)
        self.refused += self._under_way + len(self._due)


class Connection(asyncio.Protocol):
    """A connection that is kept open."""

    def __init__(self, sender: Sender) -> None:
        self._sender = sender
        self._due = 0.0
        self._is_busy = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """It is open."""
        self._transport = transport
        self._parser = httptools.HttpResponseParser(self)

    def send(self, request: bytes, due: float) -> None:
        """Sends a request that was due at a time."""
        self._due, self._is_busy = due, True
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        """Reads on."""
        self._parser.feed_data(data)

    def on_message_complete(self) -> None:
        """The parser has a whole answer."""
        self._is_busy = False
        self._sender.answered(self, self._due, self._parser.get_status_code())

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        """It is gone."""
        self._sender.lost(self, with_request=self._is_busy)
        self._is_busy = False


async def carry_out(port: int, task: Task) -> Outcome:
    """Does what was asked for."""
    sender = Sender([_request(port, body) for body in _bodies(task)])
    await sender.connect(port, task.connections)
    processes = [psutil.Process(os.getpid())] + ([psutil.Process(task.server)] if task.server else [])
    before = [_cpu_seconds(process) for process in processes]
    start, epoch = time.perf_counter(), time.time() - time.perf_counter()
    if task.rate:
        await sender.send_at_rate(task.rate, task.seconds)
    else:
        await sender.send_at_once(task.seconds)
    elapsed = time.perf_counter() - start
    used = [_cpu_seconds(process) - past for process, past in zip(processes, before, strict=True)]
    return Outcome(
        sent_at=[epoch + due for due, _ in sender.answers],
        answer_seconds=[seconds for _, seconds in sender.answers],
        refused=sender.refused,
        seconds=elapsed,
        server_cpu_seconds=used[1] if task.server else 0.0,
        client_cpu_seconds=used[0],
    )


def _bodies(task: Task) -> Sequence[bytes]:
    if task.run:
        return make_bodies(round(task.rate * task.seconds), task.events_per_body, task.run)
    return make_bodies(_REPEATED_EVENTS // task.events_per_body, task.events_per_body, "repeated")


def _request(port: int, body: bytes) -> bytes:
    head = (
        f"POST /events HTTP/1.1\r\nHost: {HOST}:{port}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def _cpu_seconds(process: psutil.Process) -> float:
    times = process.cpu_times()
    return times.user + times.system


if __name__ == "__main__":
    outcome = uvloop.run(carry_out(int(sys.argv[1]), msgspec.json.decode(sys.argv[2], type=Task)))
    sys.stdout.buffer.write(msgspec.json.encode(outcome))
