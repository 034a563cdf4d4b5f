"""Structured logs: a JSON object a line, with the id of the request that was being answered.

Programs of others, which print what they have to say, are brought to it by `capture_output`.
Bounded in size, and without the texts of exceptions, which may quote what somebody sent.
"""

import io
import json
import logging
import re
import secrets
import sys
import threading
import traceback
from contextlib import suppress
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any, Final, TextIO

REQUEST_ID: Final[ContextVar[str]] = ContextVar("request_id", default="")
"""The request that is being answered; empty outside of requests."""

_MAX_CHARACTERS: Final = 2_000
_MAX_PLACES: Final = 8
# What Python's logging writes unless it is told otherwise.
_PLAIN_LINE: Final = re.compile(r"(DEBUG|INFO|WARNING|ERROR|CRITICAL):([\w./-]+):(.*)")
_GIVEN_ID: Final = re.compile(r"[A-Za-z0-9._-]{8,64}")


class JsonFormatter(logging.Formatter):
    """A record as one line of JSON."""

    def __init__(self, service: str) -> None:
        super().__init__()
        self._service = service

    def format(self, record: logging.LogRecord) -> str:
        """Time, level, service, logger, message; where known, the request, the error and its places."""
        moment = datetime.fromtimestamp(record.created, UTC)
        line: dict[str, Any] = {
            "time": moment.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "service": self._service,
            "logger": record.name,
            "message": record.getMessage()[:_MAX_CHARACTERS],
        }
        if request_id := REQUEST_ID.get():
            line["request_id"] = request_id
        if record.exc_info and record.exc_info[0] is not None:
            line["error"] = record.exc_info[0].__name__
            line["places"] = _places(record)
        return json.dumps(line, ensure_ascii=False)


def configure(service: str, level: int = logging.INFO) -> None:
    """Have the process log as this service, on standard error.

    Args:
        service: Its name, as in the stack.
        level: What is less important is left out.
    """
    _survive_broken_logs()
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter(service))
    logging.basicConfig(level=level, handlers=[handler], force=True)


def capture_output(service: str) -> None:
    """Have whatever this process and its children print written as lines of the service's log.

    For programs of others, which print, or configure their logs themselves. Lines of JSON stay as they are.

    Args:
        service: Its name, as in the stack.
    """
    _survive_broken_logs()
    sys.stdout = _Printed(sys.stdout, JsonFormatter(service))
    sys.stderr = _Printed(sys.stderr, JsonFormatter(service))


def _survive_broken_logs() -> None:
    """Let the work go on where a line cannot be logged, as after the death of the process that reads the log.

    By default, `logging` reports such a line on standard error. Mage redirects that to the same log, so the
    report fails in turn, until the recursion ends whatever was being done.
    """
    logging.raiseExceptions = False


class _Printed(io.TextIOBase):
    """Writes each complete line to a stream, as JSON; lines are lost once nobody reads the stream."""

    def __init__(self, stream: TextIO, formatter: JsonFormatter) -> None:
        super().__init__()
        self._stream = stream
        self._formatter = formatter
        self._begun = ""
        self._lock = threading.RLock()

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self._stream.fileno()

    def flush(self) -> None:
        with suppress(BrokenPipeError):
            self._stream.flush()

    def write(self, text: str) -> int:
        with self._lock, suppress(BrokenPipeError):
            *lines, self._begun = (self._begun + text).split("\n")
            for line in filter(str.strip, lines):
                self._stream.write(f"{line if line.startswith('{') else self._as_json(line)}\n")
            if lines:
                self._stream.flush()
        return len(text)

    def _as_json(self, line: str) -> str:
        found = _PLAIN_LINE.fullmatch(line)
        level, name, message = found.groups() if found else ("INFO", "output", line.rstrip())
        fields = {"levelname": level, "name": name, "msg": message_in(message)}
        return self._formatter.format(logging.makeLogRecord(fields))


def message_in(text: str) -> str:
    """What happened, and the error, of what Mage logs as JSON of its own; any other text stays as it is."""
    try:
        fields = json.loads(text)
        trace = fields.get("error_stacktrace") or fields.get("error") or ""
        return f"{fields['message']} {trace}".rstrip()
    except (ValueError, KeyError, TypeError, AttributeError):
        return text


def request_id_of(given: str) -> str:
    """The id of a request: the one that the client gives, if it is a plain word, else a new one."""
    return given if _GIVEN_ID.fullmatch(given) else secrets.token_hex(8)


def for_people(line: str) -> str:
    """A line of a log as people read it; one that is not ours stays as it is."""
    try:
        fields = json.loads(line)
        text: str = f"{fields['time'][:19].replace('T', ' ')} {fields['level'].upper()} {fields['logger']}: "
        text += fields["message"]
    except (ValueError, KeyError, TypeError, AttributeError):
        return line
    where = f" ({fields['error']} at {' > '.join(fields['places'])})" if "error" in fields else ""
    request = f" [request {fields['request_id']}]" if "request_id" in fields else ""
    return text + where + request


def _places(record: logging.LogRecord) -> list[str]:
    """Where an exception passed by, the innermost place last."""
    frames = traceback.extract_tb(record.exc_info[2] if record.exc_info else None)
    return [f"{frame.filename.rpartition('/')[2]}:{frame.lineno}" for frame in frames[-_MAX_PLACES:]]
