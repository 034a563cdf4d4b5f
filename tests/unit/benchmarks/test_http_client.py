"""The client of the benchmarks against a small server: it counts right, and what is late counts as late."""

import asyncio
import json
from collections.abc import Awaitable, Callable

import pytest

from benchmarks.http_client import HOST, Outcome, Task, carry_out

Handler = Callable[[bytes], Awaitable[int]]
"""Takes a body; gives the status of the answer, or 0 to hang up."""


async def _serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, handle: Handler) -> None:
    try:
        while head := await reader.readuntil(b"\r\n\r\n"):
            length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
            status = await handle(await reader.readexactly(length))
            if not status:
                break
            writer.write(f"HTTP/1.1 {status} x\r\ncontent-length: 2\r\n\r\n{{}}".encode())
    except asyncio.IncompleteReadError:
        pass
    writer.close()


def measure(task: Task, handle: Handler) -> Outcome:
    async def run() -> Outcome:
        server = await asyncio.start_server(lambda reader, writer: _serve(reader, writer, handle), HOST, 0)
        async with server:
            return await carry_out(server.sockets[0].getsockname()[1], task)

    return asyncio.run(run())


def test_at_a_rate_each_event_is_sent_once_and_in_an_array() -> None:
    bodies: list[bytes] = []

    async def accept(body: bytes) -> int:
        bodies.append(body)
        return 202

    task = Task(seconds=0.5, connections=4, events_per_body=5, rate=100, run="test")
    outcome = measure(task, accept)
    assert (len(outcome.sent_at), outcome.refused) == (50, 0)
    assert len({event["id"] for body in bodies for event in json.loads(body)}) == 250


def test_a_lone_event_travels_without_an_array() -> None:
    bodies: list[bytes] = []

    async def accept(body: bytes) -> int:
        bodies.append(body)
        return 202

    measure(Task(seconds=0.1, connections=1, events_per_body=1, rate=20, run="test"), accept)
    assert [type(json.loads(body)) for body in bodies] == [dict, dict]


def test_connections_are_kept_busy_until_the_time_is_over() -> None:
    under_way = most = 0

    async def accept(_: bytes) -> int:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        await asyncio.sleep(0.01)
        under_way -= 1
        return 202

    outcome = measure(Task(seconds=0.3, connections=3, events_per_body=1), accept)
    assert most == 3
    assert len(outcome.answer_seconds) > 6
    assert 0.3 <= outcome.seconds < 5


def test_waiting_for_a_connection_counts_as_waiting_for_the_answer() -> None:
    async def accept_slowly(_: bytes) -> int:
        await asyncio.sleep(0.1)
        return 202

    task = Task(seconds=0.2, connections=1, events_per_body=1, rate=20, run="test")
    # Due after 0, 50, 100 and 150 ms, each is answered 100 ms after the one before.
    assert max(measure(task, accept_slowly).answer_seconds) >= 0.24


@pytest.mark.parametrize("status", [503, 0], ids=["another status", "a connection that is closed"])
def test_what_is_not_accepted_is_refused(status: int) -> None:
    async def refuse(_: bytes) -> int:
        return status

    outcome = measure(Task(seconds=0.1, connections=2, events_per_body=1, rate=20, run="test"), refuse)
    assert (outcome.sent_at, outcome.refused) == ([], 2)
