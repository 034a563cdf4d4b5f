"""Checks that a service does its work, which a process that merely answers may have stopped doing.

`stack.health` asks first whether the service answers, and only then the probe of that service. A probe takes
the settings, the service's `host:port` and the seconds that it may wait for an answer.
"""
# ruff: noqa: ARG001 -- all probes take the same arguments

import http.client
import json
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final

import psutil
from kafka import KafkaAdminClient
from kafka.errors import KafkaError

from clickstream.settings import Settings
from clickstream.storage.client import Role, credentials
from stack.paths import StackPaths
from stack.patience import patience

# Health is asked of this machine: a proxy that the environment names has no part in it.
_DIRECT: Final = urllib.request.build_opener(urllib.request.ProxyHandler({}))
_SHOWN_CHARACTERS: Final = 300

SCHEDULER_SILENT_SECONDS: Final = 60.0
LATE_SECONDS: Final = 60.0

BUSY_SECONDS: Final = 180.0
"""A service that answers but is slow at its work may be busy, and is given so long before it is restarted."""


@dataclass(frozen=True)
class Problem:
    """What keeps a service from being healthy.

    Attributes:
        text: The problem in words that follow the service's name, such as "does not listen".
        is_own: Whether a restart of the service may help; False where another service is at fault.
        lasts_seconds: How long the problem must have lasted before the service is restarted.
    """

    text: str
    is_own: bool = True
    lasts_seconds: float = 0.0


Probe = Callable[[Settings, str, float], Problem | None]


def get(url: str, timeout: float, headers: dict[str, str] | None = None, body: bytes | None = None) -> str:
    """The body of a successful answer.

    Raises:
        urllib.error.HTTPError: The status is not 200.
        OSError: There is no answer; also `TimeoutError`, `urllib.error.URLError`.
        http.client.HTTPException: What answers does not speak HTTP.
    """
    request = urllib.request.Request(url, data=body, headers=headers or {})  # noqa: S310 -- http, see health_url
    with _DIRECT.open(request, timeout=timeout) as answer:
        if answer.status != HTTPStatus.OK:
            raise urllib.error.HTTPError(url, answer.status, answer.reason, answer.headers, answer)
        return str(answer.read().decode(errors="replace"))


def said_by(error: urllib.error.HTTPError) -> str:
    """The status of a refusal, and its text where that is one short line for people."""
    text = ""
    if (error.headers.get_content_type() or "") == "text/plain":
        text = error.read(_SHOWN_CHARACTERS + 1).decode(errors="replace").strip()
    is_short = text and "\n" not in text and len(text) <= _SHOWN_CHARACTERS
    return f"answers {error.code}: {text}" if is_short else f"answers {error.code}"


def clickhouse_selects(settings: Settings, address: str, timeout: float) -> Problem | None:
    """Whether ClickHouse runs statements of both users.

    Each user has a share of the statements that run at once, so where one of them gets an answer, the other
    one waits for statements of its own, and a restart would only end those.
    """
    reader = _select_problem(settings, address, Role.READER, timeout)
    if reader is None:
        return None
    is_own = _select_problem(settings, address, Role.WRITER, timeout) is not None
    return Problem(f"runs no statement of {settings.clickhouse.reader_user}: {reader}", is_own, BUSY_SECONDS)


def _select_problem(settings: Settings, address: str, role: Role, timeout: float) -> str | None:
    user, password = credentials(settings.clickhouse, role)
    headers = {"X-ClickHouse-User": user, "X-ClickHouse-Key": password}
    try:
        answer = get(f"http://{address}/", timeout, headers, b"select 1").strip()
    except urllib.error.HTTPError as error:
        return f"it {said_by(error)}"
    except (OSError, http.client.HTTPException) as error:
        return f"no answer within {timeout:.0f} s ({error})"
    return None if answer == "1" else f"it answers `select 1` with {answer[:20]!r}"


def api_is_ready(settings: Settings, address: str, timeout: float) -> Problem | None:
    """Whether the API can take events; without the broker it rightly cannot."""
    try:
        get(f"http://{address}/health/ready", timeout)
    except urllib.error.HTTPError as error:
        if error.code != HTTPStatus.SERVICE_UNAVAILABLE:
            return Problem(said_by(error))
        messages = [one.get("message", "") for one in json.load(error).get("dependencies", {}).values()]
        text = " ".join(filter(None, messages))[:_SHOWN_CHARACTERS]
        return Problem(f"takes no events: {text}", is_own=False)
    except (OSError, http.client.HTTPException, ValueError) as error:
        return Problem(f"does not say within {timeout:.0f} s whether it can take events ({error})")
    return None


def stream_moves(settings: Settings, address: str, timeout: float) -> Problem | None:
    """Whether the stream reads, stores and commits; it says itself when another service keeps it waiting."""
    try:
        get(f"http://{address}/health", timeout)
    except urllib.error.HTTPError as error:
        return Problem(said_by(error), is_own=error.code != HTTPStatus.FAILED_DEPENDENCY)
    except (OSError, http.client.HTTPException) as error:
        return Problem(f"does not report its state within {timeout:.0f} s ({error})")
    return None


_admins: dict[str, Any] = {}
_admins_lock: Final = threading.Lock()


def kafka_serves(settings: Settings, address: str, timeout: float) -> Problem | None:
    """Whether Kafka tells the leaders of the topics' partitions, and finds the group's coordinator."""
    servers, timeout_ms = settings.broker.bootstrap_servers, int(timeout * 1_000)
    # One request at a time: the client is not made for threads.
    with _admins_lock:
        try:
            if servers not in _admins:
                _admins[servers] = KafkaAdminClient(
                    bootstrap_servers=servers,
                    client_id="clickstream-watchdog",
                    request_timeout_ms=timeout_ms,
                    api_version_auto_timeout_ms=timeout_ms,
                )
            topics = _admins[servers].describe_topics([settings.broker.topic, settings.broker.rejected_topic])
        except (KafkaError, OSError, ValueError, AttributeError) as error:
            _forget_admin(servers)
            return Problem(f"tells no topics within {timeout:.0f} s ({type(error).__name__})")
    leaderless = [
        f"{topic['topic']}/{partition['partition']}"
        for topic in topics
        for partition in topic["partitions"]
        if partition["leader"] < 0
    ]
    return Problem(f"has no leader for {', '.join(leaderless)}") if leaderless else None


def _forget_admin(servers: str) -> None:
    admin = _admins.pop(servers, None)
    if admin is not None:
        try:
            admin.close()
        except (KafkaError, OSError, ValueError):
            return


def mage_schedules(settings: Settings, address: str, timeout: float) -> Problem | None:
    """Whether Mage's scheduler looks for due runs, and starts them in time; by the file that it writes."""
    try:
        beat = json.loads(StackPaths(settings.stack.data_path).scheduler_beat.read_text(encoding="utf-8"))
        pid, beat_at, late = int(beat["pid"]), float(beat["beat_at"]), str(beat["late"])
    except FileNotFoundError:
        return Problem("has no scheduler yet")
    except (OSError, ValueError, KeyError, TypeError) as error:
        return Problem(f"has a scheduler whose sign of life can't be read ({error})")
    silent_seconds = time.time() - beat_at
    if not psutil.pid_exists(pid):
        return Problem(f"has lost its scheduler (process {pid})")
    if silent_seconds > SCHEDULER_SILENT_SECONDS * patience():
        return Problem(f"has a scheduler that has not looked for due runs for {silent_seconds:.0f} s")
    return Problem(f"does not keep its schedule: {late}", lasts_seconds=LATE_SECONDS) if late else None
