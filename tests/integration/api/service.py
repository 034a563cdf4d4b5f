"""The API of an isolated stack, seen by a plain client, and its topics, seen by a plain consumer."""

import json
import os
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from kafka import KafkaConsumer, TopicPartition

from clickstream.settings import Settings
from stack.lifecycle import Stack
from stack.processes import free_port
from tests.waiting import wait_until


def event(**changes: Any) -> dict[str, Any]:
    """A valid event with a random id and the given changes; `...` removes a field."""
    values = {
        "id": uuid.uuid4().int >> 64,
        "type": "click",
        "created_at": "2025-01-01T10:00:00Z",
        "session_id": "s-1",
        "user_id": 42,
        "url": "/catalog?foo=bar",
        "payload": {"event_title": "checkout", "element_id": "#submit-button", "x": 445, "y": 315},
        **changes,
    }
    return {name: value for name, value in values.items() if value is not ...}


@dataclass(frozen=True)
class Record:
    """One record of a topic."""

    topic: str
    headers: Mapping[str, bytes]
    value: bytes

    @property
    def events(self) -> list[Any]:
        """What it holds; what was refused need not be JSON."""
        events: list[Any] = json.loads(self.value)
        return events


class ApiStack:
    """A stack with the API and its broker."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.url = f"http://127.0.0.1:{stack.settings.api.port}"
        self.client = httpx.Client(base_url=self.url, timeout=20, trust_env=False)

    @property
    def settings(self) -> Settings:
        return self.stack.settings

    @property
    def as_operator(self) -> dict[str, str]:
        """The headers of an operator."""
        return {"Authorization": f"Bearer {self.settings.api.operator_token.get_secret_value()}"}

    @property
    def log(self) -> str:
        return "".join(path.read_text() for path in self.stack.paths.logs.glob("api.log*"))

    def post(self, body: object, **keywords: Any) -> httpx.Response:
        """Posts JSON, or text or bytes as they are."""
        headers = {"Content-Type": "application/json", **keywords.pop("headers", {})}
        content = body if isinstance(body, str | bytes) else json.dumps(body)
        return self.client.post("/events", content=content, headers=headers, **keywords)

    def is_ready(self) -> bool:
        """Whether the service says that it can take events."""
        try:
            return self.client.get("/health/ready").status_code == 200
        except httpx.TransportError:
            return False

    def pid(self, service: str) -> int:
        return self.stack.supervisor.processes()[service].pid

    def stop(self, service: str) -> None:
        """Stops a service; until it has ended it could not be started again."""
        self.stack.supervisor.stop_process(service)
        wait_until(lambda: self.pid(service) == 0, f"{service} has ended")

    def start(self, service: str) -> None:
        """Has a stopped service started."""
        self.stack.supervisor.start_process(service)

    def metric(self, name: str) -> float:
        """The value of a series, by its line's beginning."""
        lines = self.client.get("/metrics").text.splitlines()
        return next((float(line.rpartition(" ")[2]) for line in lines if line.startswith(name + " ")), 0.0)

    @contextmanager
    def records(self) -> Iterator[Callable[[], list[Record]]]:
        """What comes into the topics from now on; each call reads on to their ends and gives all of it."""
        topics = (self.settings.broker.topic, self.settings.broker.rejected_topic)
        consumer = KafkaConsumer(
            bootstrap_servers=self.settings.broker.bootstrap_servers,
            enable_auto_commit=False,
            # The broker may restart in between.
            reconnect_backoff_max_ms=500,
            check_crcs=True,
        )
        places = [
            TopicPartition(topic, partition)
            for topic in topics
            for partition in sorted(consumer.partitions_for_topic(topic) or ())
        ]
        consumer.assign(places)
        for place, end in consumer.end_offsets(places).items():
            consumer.seek(place, end)
        seen: list[Record] = []

        def read_on() -> list[Record]:
            ends = consumer.end_offsets(places)
            while any(consumer.position(place) < end for place, end in ends.items()):
                for batch in consumer.poll(timeout_ms=500).values():
                    seen.extend(Record(one.topic, dict(one.headers), one.value or b"null") for one in batch)
            return seen

        try:
            yield read_on
        finally:
            consumer.close()


class OwnApi:
    """A separate API on the broker of the stack, which a test can configure, stop and kill."""

    def __init__(self, api: ApiStack, log: Path, **overrides: str) -> None:
        port = free_port("127.0.0.1")
        self.url = f"http://127.0.0.1:{port}"
        settings = {"port": port, **overrides}
        with log.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "api"],
                env={
                    **os.environ,
                    **{f"CLICKSTREAM_API__{name.upper()}": str(value) for name, value in settings.items()},
                },
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        self.client = httpx.Client(base_url=self.url, timeout=20, trust_env=False)
        wait_until(self._answers, "the API answers")

    def _answers(self) -> bool:
        assert self.process.poll() is None, "the API ended"
        try:
            return self.client.get("/health/live").status_code == 200
        except httpx.TransportError:
            return False

    def close(self) -> int:
        """Asks it to stop; the exit code."""
        self.client.close()
        self.process.terminate()
        return self.process.wait(timeout=30)

    def __enter__(self) -> "OwnApi":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Senders:
    """Threads that send single events for as long as they are let, and remember what they were told."""

    def __init__(self, url: str, threads: int = 8) -> None:
        self._url = url
        self._stopping = threading.Event()
        self._threads = [threading.Thread(target=self._send) for _ in range(threads)]
        self.accepted: set[int] = set()
        self.refusals: list[httpx.Response] = []
        self.slowest_seconds = 0.0

    def __enter__(self) -> "Senders":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        for thread in self._threads:
            thread.join()

    def _send(self) -> None:
        with httpx.Client(base_url=self._url, timeout=20, trust_env=False) as client:
            while not self._stopping.is_set():
                one = event()
                try:
                    answer = client.post("/events", json=[one])
                except httpx.TransportError:
                    time.sleep(0.02)
                    continue
                self.slowest_seconds = max(self.slowest_seconds, answer.elapsed.total_seconds())
                if answer.status_code == 202:
                    self.accepted.add(one["id"])
                else:
                    self.refusals.append(answer)
                    time.sleep(0.05)
