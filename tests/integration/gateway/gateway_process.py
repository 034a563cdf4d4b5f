"""A separate gateway for a test: a real process, a free port, a temporary directory."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import clickhouse_connect
import httpx
from clickhouse_connect.driver.client import Client

from stack.env_file import setting_entries

WRITER = ("clickstream_writer", "writer-secret")
READER = ("clickstream_reader", "reader-secret")
DASHBOARDS = ("clickstream_dashboards", "dashboards-secret")
_START_SECONDS = 60.0


def free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return int(listening.getsockname()[1])


@dataclass
class GatewayProcess:
    """A running gateway and how to reach it."""

    directory: Path
    port: int
    process: subprocess.Popen[bytes]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/"

    @property
    def log(self) -> str:
        return (self.directory / "gateway.log").read_text()

    def post(
        self,
        sql: str | bytes,
        params: Mapping[str, str] | None = None,
        *,
        auth: tuple[str, str] = WRITER,
        headers: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        """A plain request, as `curl` would make it."""
        return httpx.post(
            self.url,
            params=dict(params or {}),
            content=sql,
            auth=auth,
            headers=dict(headers or {}),
            timeout=60,
        )

    def value(self, sql: str) -> str:
        """The only cell that a query gives."""
        answer = self.post(sql)
        assert answer.status_code == 200, answer.text
        return answer.text.strip()

    def client(self, auth: tuple[str, str] = WRITER, **options: Any) -> Client:
        return clickhouse_connect.get_client(
            host="127.0.0.1", port=self.port, username=auth[0], password=auth[1], **options
        )

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self) -> int:
        self.process.terminate()
        return self.process.wait(timeout=40)


def environment(directory: Path, port: int) -> dict[str, str]:
    """Settings of a gateway, and of nothing else."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("CLICKSTREAM_")}
    secrets = {entry.variable: "unused" for entry in setting_entries() if entry.default is None}
    return (
        inherited
        | secrets
        | {
            "CLICKSTREAM_ENV_FILE": str(directory / "no.env"),
            "CLICKSTREAM_STACK__DATA_DIR": str(directory),
            "CLICKSTREAM_CLICKHOUSE__PORT": str(port),
            "CLICKSTREAM_CLICKHOUSE__WRITER_PASSWORD": WRITER[1],
            "CLICKSTREAM_CLICKHOUSE__READER_PASSWORD": READER[1],
            "CLICKSTREAM_CLICKHOUSE__DASHBOARDS_PASSWORD": DASHBOARDS[1],
            "CLICKSTREAM_CLICKHOUSE__MAX_CONNECTIONS": "12",
            "CLICKSTREAM_CLICKHOUSE__MAX_MEMORY_BYTES": "2000000000",
        }
    )


def launch(directory: Path, port: int) -> subprocess.Popen[bytes]:
    """Start a gateway without waiting for it."""
    with (directory / "gateway.log").open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "stack.gateway"],
            env=environment(directory, port),
            stdout=log,
            stderr=subprocess.STDOUT,
        )


def start(directory: Path) -> GatewayProcess:
    """Start a gateway and wait until it answers."""
    port = free_port()
    gateway = GatewayProcess(directory, port, launch(directory, port))
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        if gateway.process.poll() is not None:
            raise AssertionError(f"the gateway ended: {gateway.log}")
        try:
            if httpx.get(gateway.url + "health/ready", timeout=5).status_code == 200:
                return gateway
        except httpx.TransportError:
            time.sleep(0.05)
    gateway.kill()
    raise AssertionError(f"the gateway did not answer within {_START_SECONDS} s: {gateway.log}")
