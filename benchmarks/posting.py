"""`POST /events`, each answer after the broker's acknowledgement, beside a bare route to the same broker."""

import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx
import msgspec

from benchmarks.http_client import HOST, Outcome, Task
from benchmarks.samples import POST_BATCH, POST_HALF_LOAD, POST_SINGLE, Extent, Sample, Subject, percentiles
from stack.isolated import isolated_stack
from stack.processes import free_port, holder_of

_SECONDS: Final = 3.0
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


def measure_posting(directory: Path, extent: Extent) -> list[Sample]:
    """Single events and batches of 100 from as many connections as keep the server busy, then half that load.

    The rates are those for a second of the server's processor time, since broker and client run on the same
    machine and take their share of it.
    """
    samples: list[Sample] = []
    with isolated_stack(directory, ("api",)) as stack, _bare_api() as bare:
        api = Server.on_port(stack.settings.api.port)
        warm_up = Task(seconds=_WARM_UP_SECONDS, connections=_CONNECTIONS, events_per_body=1)
        for server in (api, bare):
            Sending(server, warm_up).outcome()
        for _ in range(extent.rounds):
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


class Sending:
    """A client in a process of its own, from its start on."""

    def __init__(self, server: Server, task: Task) -> None:
        # No pipe: it is full before anybody reads it, and what is written without a buffer is then cut short.
        self._output = tempfile.TemporaryFile()  # noqa: SIM115 -- closed with the outcome
        text = msgspec.json.encode(msgspec.structs.replace(task, server=server.pid)).decode()
        command = [sys.executable, "-m", "benchmarks.http_client", str(server.port), text]
        self._process = subprocess.Popen(command, stdout=self._output)

    def outcome(self) -> Outcome:
        """Waits for the end; what it saw.

        Raises:
            SystemExit: It failed, or not everything was accepted: such figures say nothing.
        """
        with self._output:
            if self._process.wait():
                raise SystemExit("The client failed; see above.")
            self._output.seek(0)
            outcome = msgspec.json.decode(self._output.read(), type=Outcome)
        if outcome.refused:
            raise SystemExit(f"{outcome.refused:,} requests were not accepted: there is nothing to measure.")
        return outcome

    def end(self) -> None:
        """Ends it if it still runs; nothing happens to one whose outcome is known."""
        self._process.kill()
        self._process.wait()


def _compare_rates(subject: Subject, api: Server, bare: Server, task: Task) -> Sample:
    ours, theirs = (Sending(server, task).outcome() for server in (api, bare))
    return Sample(
        subject,
        _per_cpu_second(ours, task),
        _per_cpu_second(theirs, task),
        {
            "requests/s": len(ours.sent_at) / ours.seconds,
            "bare requests/s": len(theirs.sent_at) / theirs.seconds,
            "server's cores": ours.server_cpu_seconds / ours.seconds,
            "client's cores": ours.client_cpu_seconds / ours.seconds,
        },
    )


def _compare_times(subject: Subject, api: Server, bare: Server, task: Task) -> Sample:
    ours, theirs = (
        percentiles([1_000 * seconds for seconds in Sending(server, task).outcome().answer_seconds], "ms")
        for server in (api, bare)
    )
    return Sample(subject, ours["p99 ms"], theirs["p99 ms"], {**ours, "requests/s": task.rate})


def _per_cpu_second(outcome: Outcome, task: Task) -> float:
    return len(outcome.sent_at) * task.events_per_body / outcome.server_cpu_seconds


@contextmanager
def _bare_api() -> Iterator[Server]:
    """The baseline, beside the API on the same broker."""
    port = free_port(HOST)
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
