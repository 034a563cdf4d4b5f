"""The embedded ClickHouse engine: one data directory, many connections.

chDB runs one statement at a time on a connection, and connections side by side. Opening one takes a quarter
of a millisecond, so a statement outside of a session gets a connection of its own: nothing that it sets can
leak into the next one.
"""

import fcntl
import json
import logging
import threading
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module, resources
from pathlib import Path
from typing import IO, Any, Final, Self
from urllib.parse import urlencode

from clickstream.errors import ClickstreamError
from clickstream.event.items import is_utf8
from stack.gateway.accounts import Account
from stack.gateway.errors import Code, StatementError

_log: Final = logging.getLogger(__name__)

# The engine itself: chDB's public wrapper has no way to classify a statement, and no types either.
_chdb: Final[Any] = import_module("chdb._chdb")

# Unlike chDB, a server wants to be told that a statement is a SELECT, and writes Arrow itself instead of by
# a library. Inserts are answered when they are written, not when they are queued.
_SERVER_SETTINGS: Final = {
    "implicit_select": "0",
    "async_insert": "0",
    "output_format_arrow_use_native_writer": "1",
}

# What a statement of those who only read may take; `access.xml` bounds what they may change of it. A chart
# that takes a minute is a mistake; an export may take longer.
_READING_LIMITS: Final = {
    "profile": "reading",
    "max_memory_usage": "2000000000",
    "max_result_rows": "10000000",
    "max_result_bytes": "4000000000",
    "readonly": "2",
}
_EXECUTION_SECONDS: Final = {Account.READER: "300", Account.DASHBOARDS: "60"}

# A long text takes its time; short ones don't wait for it.
_SHORT_STATEMENT_BYTES: Final = 16_384
_MAX_PARSED_BYTES: Final = 64 * 1024 * 1024

# The database that chDB starts a connection in looks for unknown tables among the files of the working
# directory, and so wants a grant on files for every name. It gets a name that nobody uses; `default` is an
# ordinary database, as on a server.
_STARTING_DATABASE: Final = "gateway_start"


@dataclass(frozen=True)
class Statistics:
    """What a statement read and wrote."""

    read_rows: int = 0
    read_bytes: int = 0
    written_rows: int = 0
    written_bytes: int = 0
    result_rows: int = 0
    result_bytes: int = 0
    elapsed_seconds: float = 0.0


@dataclass(frozen=True)
class Chunk:
    """A piece of a result."""

    data: bytes
    statistics: Statistics


@dataclass(frozen=True)
class Classification:
    """What a text would do.

    Attributes:
        statements: How many statements it holds; 0 if it does not parse.
        only_reads: It leaves no trace.
    """

    statements: int
    only_reads: bool


class Connection:
    """A connection to the engine. All its methods block and raise `StatementError`."""

    def __init__(self, target: str) -> None:
        try:
            self._raw = _chdb.connect(target)
        except RuntimeError as error:
            raise StatementError.from_engine(error) from None

    def execute(self, sql: str | bytes, fmt: str, params: Mapping[str, str] | None = None) -> Chunk:
        """Run a statement and give its whole result.

        Args:
            sql: The statement.
            fmt: Output format, if the statement names none.
            params: Values of `{name:Type}` placeholders in ClickHouse's escaped text form.
        """
        try:
            result = self._raw.query(sql, fmt, params=dict(params or {}))
        except RuntimeError as error:
            raise StatementError.from_engine(error) from None
        data = result.bytes()
        return Chunk(
            data,
            Statistics(
                read_rows=result.storage_rows_read(),
                read_bytes=result.storage_bytes_read(),
                written_rows=result.rows_written(),
                written_bytes=result.bytes_written(),
                result_rows=result.rows_read(),
                result_bytes=len(data),
                elapsed_seconds=result.elapsed(),
            ),
        )

    def restrict(self, account: Account) -> None:
        """Give up all rights but those of an account, and take its limits."""
        self.execute(f"SET ROLE gateway_{account}", "TSV")
        if account.only_reads:
            self.change_settings({"max_execution_time": _EXECUTION_SECONDS[account], **_READING_LIMITS})

    def use(self, database: str) -> None:
        """Look unqualified names up in a database."""
        self.execute(f"USE {quote_name(database)}", "TSV")

    def change_settings(self, settings: Mapping[str, str]) -> None:
        """Set settings of this connection, all in one statement."""
        if settings:
            self.execute(
                "SET " + ", ".join(f"{name} = {quote(value)}" for name, value in settings.items()), "TSV"
            )

    def settings(self, names: Sequence[str]) -> dict[str, str]:
        """The values that settings have on this connection."""
        listed = ", ".join(quote(name) for name in names)
        sql = f"SELECT name, value FROM system.settings WHERE name IN ({listed})"  # noqa: S608 - quoted
        rows = json.loads(self.execute(sql, "JSONCompact").data)["data"]
        return dict(rows)

    def stream(self, sql: str | bytes, fmt: str, params: Mapping[str, str]) -> "ResultStream":
        """Start a query whose result comes in pieces; see `ResultStream`."""
        try:
            return ResultStream(self._raw, self._raw.send_query(sql, fmt, params=dict(params)))
        except RuntimeError as error:
            raise StatementError.from_engine(error) from None

    def insert(self, head: str | bytes, fmt: str) -> "InsertStream":
        """Start an insert whose rows come in pieces; see `InsertStream`."""
        try:
            return InsertStream(self._raw, self._raw.send_insert(head, fmt))
        except RuntimeError as error:
            raise StatementError.from_engine(error) from None

    def classify(self, sql: bytes) -> "Classification":
        """What the engine's own parser sees in a text; it is not run."""
        found = self._raw.classify_query(sql)
        only_reads = found["query_class"] == _chdb.query_class.READ_ONLY
        return Classification(int(found["statement_count"]), bool(only_reads))

    def close(self) -> None:
        """Give the connection back to the engine."""
        self._raw.close()


class _Parser:
    """A connection that parses for everybody, one text at a time."""

    def __init__(self, target: str) -> None:
        self._connection = Connection(target)
        self._connection.change_settings({"max_query_size": str(_MAX_PARSED_BYTES)})
        self._lock = threading.Lock()

    def execute(self, sql: bytes, fmt: str) -> Chunk:
        """Run a statement."""
        with self._lock:
            return self._connection.execute(sql, fmt)

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


class ResultStream:
    """The result of a query, piece by piece."""

    def __init__(self, raw: Any, handle: object) -> None:
        self._raw = raw
        self._handle = handle

    def fetch(self) -> Chunk | None:
        """The next piece, or None at the end."""
        try:
            result = self._raw.streaming_fetch_result(self._handle)
        except RuntimeError as error:
            raise StatementError.from_engine(error) from None
        if result is None or result.rows_read() == 0:
            return None
        data = result.bytes()
        return Chunk(
            data,
            Statistics(
                read_rows=result.storage_rows_read(),
                read_bytes=result.storage_bytes_read(),
                result_rows=result.rows_read(),
                result_bytes=len(data),
                elapsed_seconds=result.elapsed(),
            ),
        )

    def cancel(self) -> None:
        """Stop the query; nothing can be fetched afterwards."""
        try:
            self._raw.streaming_cancel_query(self._handle)
        except RuntimeError as error:
            _log.debug("A stream could not be cancelled: %s", StatementError.from_engine(error).code)


class InsertStream:
    """The rows of an insert, piece by piece; stored by `finish`, or not at all."""

    def __init__(self, raw: Any, handle: object) -> None:
        self._raw = raw
        self._handle = handle

    def append(self, data: bytes) -> None:
        """Add a piece of the rows, encoded in the insert's format."""
        try:
            self._raw.insert_append(self._handle, data)
        except RuntimeError as error:
            raise StatementError.from_engine(error) from None

    def finish(self) -> Statistics:
        """Store the rows."""
        try:
            result = self._raw.insert_done(self._handle)
        except RuntimeError as error:
            raise StatementError.from_engine(error) from None
        return Statistics(
            read_rows=result.rows_written(),
            read_bytes=result.bytes_written(),
            written_rows=result.rows_written(),
            written_bytes=result.bytes_written(),
            result_rows=result.rows_written(),
            result_bytes=result.bytes_written(),
            elapsed_seconds=result.elapsed(),
        )

    def cancel(self) -> None:
        """Drop the rows."""
        try:
            self._raw.insert_cancel(self._handle)
        except RuntimeError as error:
            _log.debug("An insert could not be cancelled: %s", StatementError.from_engine(error).code)


class Engine:
    """The engine on a data directory. One process may have it open.

    Attributes:
        timezone: Time zone of the engine, as a server names it in its answers.
        version: ClickHouse version of the engine.
    """

    def __init__(self, directory: Path, access: Path, max_memory_bytes: int) -> None:
        """Open the engine.

        Args:
            directory: The data directory; made if it is not there.
            access: The file of the roles.
            max_memory_bytes: What all statements together may take.

        Raises:
            ClickstreamError: Another process has the directory open.
        """
        directory.mkdir(parents=True, exist_ok=True)
        self._lock = _lock(directory)
        _prepare_default_database(directory)
        _chdb.set_signal_handlers_enabled(0)
        files = resources.files("stack.gateway")
        options = {
            "config-file": str(files / "server.xml"),
            "users_config": str(access),
            "max_server_memory_usage": str(max_memory_bytes),
            "default_database": _STARTING_DATABASE,
            **_SERVER_SETTINGS,
        }
        self._target = f"{directory}?{urlencode(options, safe='/')}"
        # The engine lives as long as one connection is open.
        self._anchor = Connection(self._target)
        self._parser = _Parser(self._target)
        self._long_parser = _Parser(self._target)
        found = self._anchor.execute("SELECT timezone(), version()", "TSV").data.decode().strip()
        self.timezone, self.version = found.split("\t")

    def connect(self) -> Connection:
        """A connection with all rights; `restrict` it before a client's statement runs on it."""
        return Connection(self._target)

    def canonical(self, text: bytes) -> str:
        """A statement as the engine's parser understands it, on one line; it is not run.

        Raises:
            StatementError: The text is not exactly one statement, or too long.
        """
        literal = text.replace(b"\\", b"\\\\").replace(b"'", b"\\'")
        parser = self._parser if len(text) < _SHORT_STATEMENT_BYTES else self._long_parser
        try:
            answer = parser.execute(b"SELECT formatQuerySingleLine('" + literal + b"')", "TSVRaw")
        except StatementError as error:
            if error.code == Code.UNKNOWN_EXCEPTION and not is_utf8(text):
                # The engine's message quotes these bytes, so it did not come through.
                raise StatementError(
                    Code.SYNTAX_ERROR, "Syntax error: outside of strings, a statement must be UTF-8"
                ) from None
            raise error.without(": In scope SELECT formatQuery") from None
        return answer.data.decode(errors="surrogateescape").removesuffix("\n")

    def table_functions(self) -> frozenset[str]:
        """The names of all table functions of this engine."""
        found = self.on_the_side("SELECT name FROM system.table_functions")
        return frozenset(name for (name,) in json.loads(found)["data"])

    def running(self) -> dict[str, str]:
        """The engine's id of each running statement, by the `query_id` that its client gave it.

        chDB gives each statement an id of its own; the gateway puts the client's into `log_comment`.
        """
        sql = "SELECT Settings['log_comment'] AS client, query_id FROM system.processes WHERE client != ''"
        return dict(json.loads(self.on_the_side(sql))["data"])

    def kill(self, query_id: str) -> None:
        """End the statement with a client's `query_id`, if it is running."""
        self.on_the_side(f"KILL QUERY WHERE Settings['log_comment'] = {quote(query_id)} ASYNC")

    def close(self) -> None:
        """Close the engine; connections that are still open are the caller's to close before."""
        self._parser.close()
        self._long_parser.close()
        self._anchor.close()
        self._lock.close()

    def on_the_side(self, sql: str) -> bytes:
        """The result of a statement about statements, on a connection that is free for sure."""
        connection = Connection(self._target)
        try:
            return connection.execute(sql, "JSONCompact").data
        finally:
            connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def quote(value: str) -> str:
    """A string literal of ClickHouse's SQL."""
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def quote_name(name: str) -> str:
    """An identifier of ClickHouse's SQL."""
    escaped = name.replace("\\", "\\\\").replace("`", "\\`")
    return f"`{escaped}`"


def _prepare_default_database(directory: Path) -> None:
    """Declare the ordinary database `default`, which chDB expects before anything can be created.

    chDB gives the id behind the link `metadata/default` to its own starting database, whatever that one is
    called, and two databases can't share an id. The engine makes the link again, and reads it nowhere else.
    """
    metadata = directory / "metadata"
    metadata.mkdir(exist_ok=True)
    declaration = metadata / "default.sql"
    if not declaration.exists():
        declaration.write_text(f"ATTACH DATABASE _ UUID '{uuid.uuid4()}'\nENGINE = Atomic\n")
    link = metadata / "default"
    if link.is_symlink():
        link.unlink()


def _lock(directory: Path) -> IO[str]:
    """Hold a data directory for this process; the system lets go of it when the process ends."""
    handle = (directory / "gateway.lock").open("w")
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        handle.close()
        raise ClickstreamError(
            f"Another process has the ClickHouse data directory {directory} open.",
            hint="Stop the other gateway, or set CLICKSTREAM_STACK__DATA_DIR to another directory.",
        ) from None
    return handle
