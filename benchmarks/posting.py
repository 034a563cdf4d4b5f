"""`POST /events`, each answer after the broker's acknowledgement, beside a bare route to the same broker."""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx
import msgspec

from benchmarks.http_client import HOST, Outcome, Task
from benchmarks.samples import POST_BATCH, POST_HALF_LOAD, POST_SINGLE, Sample, Subject, percentiles
from stack.isolated import isolated_stack
from stack.processes import free_ports, holder_of

_SECONDS: Final = 4.0
_WARM_UP_SECONDS: Final = 1.0
_CONNECTIONS: Final = 64
_BATCH_CONNECTIONS: Final = 32
_BATCH_EVENTS: Final = 100
_START_SECONDS: Final = 30.0


@dataclass(frozen=True, slots=True)
class Server:
    """What is sent to."""

    port: int
    pid: int

    @classmethod
    def on_port(cls, port: int) -> "Server":
        """The one that listens there.

        Raises:
            SystemExit: There is none.
        """
        process = holder_of(port)
        if process is None:
            raise SystemExit(f"Nothing listens on port {port}.")
        return cls(port, process.pid)


def measure_posting(directory: Path, rounds: int) -> list[Sample]:
    """Single events and batches of 100 from as many connections as keep the server busy, then half that load.

    The rates are those for a second of the server's processor time, since broker and client run on the same
    machine and take their share of it.
    """
    samples: list[Sample] = []
    with isolated_stack(directory, ("api",)) as stack, _bare_api() as bare:
        api = Server.on_port(stack.settings.api.port)
        for server in (api, bare):
            send(server, Task(seconds=_WARM_UP_SECONDS, connections=_CONNECTIONS, events_per_body=1))
        for _ in range(rounds):
            single = Task(seconds=_SECONDS, connections=_CONNECTIONS, events_per_body=1)
            sample = _compare_rates(POST_SINGLE, api, bare, single)
            half = Task(
                seconds=_SECONDS,
                connections=_CONNECTIONS,
                events_per_body=1,
                rate=sample.details["requests/s"] / 2,
            )
            batches = Task(seconds=_SECONDS, connections=_BATCH_CONNECTIONS, events_per_body=_BATCH_EVENTS)
            samples += [
                sample,
                _compare_times(POST_HALF_LOAD, api, bare, half),
                _compare_rates(POST_BATCH, api, bare, batches),
            ]
    return samples


def send(server: Server, task: Task) -> Outcome:
    """Has a process send; waits for it.

    Raises:
        SystemExit: Not everything was accepted: such figures say nothing.
    """
    return outcome_of(start_sending(server, task))


def start_sending(server: Server, task: Task) -> "subprocess.Popen[bytes]":
    """Has a process send, and goes on."""
    text = msgspec.json.encode(msgspec.structs.replace(task, server=server.pid)).decode()
    command = [sys.executable, "-m", "benchmarks.http_client", str(server.port), text]
    return subprocess.Popen(command, stdout=subprocess.PIPE)


def outcome_of(client: "subprocess.Popen[bytes]") -> Outcome:
    """What a process saw that was started to send.

    Raises:
        SystemExit: It failed, or not everything was accepted.
    """
    output, _ = client.communicate()
    if client.returncode:
        raise SystemExit("The client failed; see above.")
    outcome = msgspec.json.decode(output, type=Outcome)
    if outcome.refused:
        raise SystemExit(f"{outcome.refused:,} requests were not accepted, so there is nothing to measure.")
    return outcome


def _compare_rates(subject: Subject, api: Server, bare: Server, task: Task) -> Sample:
    ours, theirs = send(api, task), send(bare, task)
    return Sample(
        subject,
        _per_cpu_second(ours, task),
        _per_cpu_second(theirs, task),
        {
            "requests/s": len(ours.sent_at) / ours.seconds,
            "events/s": len(ours.sent_at) * task.events_per_body / ours.seconds,
            "bare requests/s": len(theirs.sent_at) / theirs.seconds,
            "server's cores": ours.server_cpu_seconds / ours.seconds,
            "client's cores": ours.client_cpu_seconds / ours.seconds,
        },
    )


def _compare_times(subject: Subject, api: Server, bare: Server, task: Task) -> Sample:
    ours, theirs = (
        percentiles([1_000 * seconds for seconds in send(server, task).answer_seconds], "ms")
        for server in (api, bare)
    )
    return Sample(subject, ours["p99 ms"], theirs["p99 ms"], {**ours, "requests/s": task.rate})


def _per_cpu_second(outcome: Outcome, task: Task) -> float:
    return len(outcome.sent_at) * task.events_per_body / outcome.server_cpu_seconds


@contextmanager
def _bare_api() -> Iterator[Server]:
    """The baseline, beside the API on the same broker."""
    [port] = free_ports(HOST, 1)
    with subprocess.Popen([sys.executable, "-m", "benchmarks.bare_api", str(port)]) as process:
        try:
            _wait_for_answer(port)
            yield Server(port, process.pid)
        finally:
            process.terminate()


def _wait_for_answer(port: int) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while True:
        try:
            httpx.get(f"http://{HOST}:{port}/openapi.json", trust_env=False)
        except httpx.TransportError:
            if time.monotonic() > deadline:
                raise SystemExit("The bare FastAPI route does not start; see above.") from None
            time.sleep(0.1)
        else:
            return
