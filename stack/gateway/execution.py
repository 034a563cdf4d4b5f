"""Runs a call: admits it, prepares a connection, streams rows in or results out, answers."""

import asyncio
import contextlib
import tempfile
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import IO, Final, TypeVar

import anyio
from starlette.types import Receive, Send

from stack.gateway import answers, arrow_stream
from stack.gateway.accounts import Account
from stack.gateway.bodies import Body, read_form
from stack.gateway.calls import Call, client_query_id
from stack.gateway.canonical import Statement, StatementReader
from stack.gateway.compression import Compressor, choose_compressor
from stack.gateway.engine import Chunk, Connection, Engine, ResultStream, Statistics
from stack.gateway.errors import Code, StatementError
from stack.gateway.rules import WITHOUT_RESULT, Rules
from stack.gateway.sessions import Sessions
from stack.gateway.statements import RowsStatement, split_rows, string_literals

_T = TypeVar("_T")

AnyStream = ResultStream | arrow_stream.ArrowResultStream

# How long a statement waits for its turn before it is refused, as a server's queue does.
_ADMISSION_SECONDS: Final = 60.0
_MAX_WAITING: Final = 200
# New statements of an account that are read at once.
_JUDGES: Final = 2
MAX_STATEMENT_BYTES: Final = {
    Account.READER: 262_144,
    Account.DASHBOARDS: 262_144,
    Account.WRITER: 4 * 1024 * 1024,
}
"""A server parses at most 256 KiB of a statement; pipelines may send more, since they bind long lists."""
# An answer that waits for the end of its query is kept in memory up to this size, then in a file.
_SPOOL_BYTES: Final = 32 * 1024 * 1024


@dataclass(frozen=True)
class Task:
    """A call together with its statement.

    Attributes:
        call: What the client asks for.
        statement: What is known of the statement.
        text: The statement; for an insert with rows its beginning.
        only_reads: It leaves no trace, so it may be ended when nobody waits for it any more.
    """

    call: Call
    statement: Statement
    text: bytes
    only_reads: bool = False


class Gateway:
    """The engine, its sessions and the statements that are running."""

    def __init__(self, engine: Engine, max_connections: int) -> None:
        """Wrap an engine.

        Args:
            engine: The engine.
            max_connections: Statements that run at once. Each account has a third of them, so that none
                waits for another.
        """
        self.engine = engine
        self.sessions = Sessions(engine)
        share = max(1, max_connections // len(Account))
        self._turns = {account: asyncio.Semaphore(share) for account in Account}
        self._waiting = dict.fromkeys(Account, 0)
        self._threads = anyio.CapacityLimiter(max_connections + 4)
        self._judges = {account: anyio.CapacityLimiter(_JUDGES) for account in Account}
        self._running: set[str] = set()
        self._reader = StatementReader(engine.canonical)
        self._rules = Rules(engine.table_functions())

    async def in_thread(self, work: Callable[[], _T]) -> _T:
        """Run work that blocks."""
        return await anyio.to_thread.run_sync(work, limiter=self._threads)

    async def run(
        self, call: Call, pieces: AsyncIterator[bytes], receive: Receive, send: Send
    ) -> answers.Ending:
        """Run a call.

        Pieces of a streamed result are sent on the way. The last one is not: the connection and its session
        must be free before the client can know that the answer is complete, for it may go on at once.

        Returns:
            What is still to be sent.

        Raises:
            StatementError: It failed before an answer began.
            AnswerCutShortError: It failed in the midst of its answer; nothing more is to be sent.
        """
        if call.content_type.lower().startswith("multipart/form-data"):
            return await self._run_form(call, pieces, receive, send)
        prefix = call.query + b"\n" if call.query else b""
        body = Body(pieces, call.content_encoding, prefix, self.in_thread)
        head = await body.head()
        # Those who only read are spared the search: a text can be made that takes minutes to search.
        if not call.account.only_reads and b"insert" in head.lower():
            rows = await self.in_thread(lambda: split_rows(head))
            if rows is not None:
                return await self._insert(await self._judged(call, rows.text), rows, body)
        text = await body.whole(MAX_STATEMENT_BYTES[call.account])
        return await self._query(await self._judged(call, text), receive, send)

    async def _run_form(
        self, call: Call, pieces: AsyncIterator[bytes], receive: Receive, send: Send
    ) -> answers.Ending:
        """A form carries the statement and its parameters as fields."""
        body = Body(pieces, call.content_encoding, b"", self.in_thread)
        fields = read_form(await body.whole(MAX_STATEMENT_BYTES[call.account]), call.content_type)
        parameters = {
            name[6:]: content.decode() for name, content in fields.items() if name.startswith("param_")
        }
        text = call.query + fields.get("query", b"")
        call = replace(call, parameters={**call.parameters, **parameters})
        return await self._query(await self._judged(call, text), receive, send)

    async def _judged(self, call: Call, text: bytes) -> Task:
        """The task of a call whose statement is one that its account may run.

        Raises:
            StatementError: The account may not run it, or it is not a single statement.
        """

        def judge(statement: Statement) -> Task:
            self._rules.refuse_statement(call.account, statement)
            self._rules.refuse_call(call.account, statement, call.settings, call.parameters, call.database)
            return Task(call, statement, text)

        known = self._reader.known(text)
        if known is not None:
            return judge(known)
        # Long texts of one account take their time, which those of another don't wait for.
        return await anyio.to_thread.run_sync(
            lambda: judge(self._reader.read(text)), limiter=self._judges[call.account]
        )

    async def _insert(self, task: Task, given: RowsStatement, body: Body) -> answers.Ending:
        """Store the rows that follow a statement.

        As on a server, an insert that fails stores nothing as long as it fits one block (1,048,449 rows or
        256 MiB); of a longer one the blocks before the failure stay.
        """
        call = task.call
        _refuse_writes(call)
        async with self._connection(task) as connection:
            if call.parameters:
                values = {f"param_{name}": value for name, value in call.parameters.items()}
                await self.in_thread(lambda: connection.change_settings(values))
            rows = await self.in_thread(lambda: connection.insert(given.head, given.format))
            try:
                async for piece in body.rest(given.data_start):
                    await self.in_thread(partial(rows.append, piece))
            except BaseException:
                with anyio.CancelScope(shield=True):
                    await self.in_thread(rows.cancel)
                raise
            statistics = await self.in_thread(rows.finish)
        headers = self._headers(call) | answers.summary_header(statistics)
        return answers.Ending(headers | {"Content-Type": "text/plain; charset=UTF-8"})

    async def _query(self, task: Task, receive: Receive, send: Send) -> answers.Ending:
        """Run a statement without rows."""
        async with self._connection(task) as connection:
            task = await self.in_thread(lambda: self._check(task, connection))
            if not task.only_reads:
                return await self.in_thread(lambda: self._execute(task, connection))
            async with self._ended_with_client(task.call, receive):
                if _streams(task):
                    return await self._stream(task, connection, send)
                return await self.in_thread(lambda: self._execute(task, connection))

    def _check(self, task: Task, connection: Connection) -> Task:
        """Refuse what the call may not do, and complete the task with what the engine sees in it."""
        call, kind = task.call, task.statement.kind
        classified = connection.classify(task.text)
        if classified.statements != 1:
            raise StatementError(Code.SYNTAX_ERROR, "Multi-statements are not allowed")
        if kind not in ("SET", "USE") and not classified.only_reads:
            _refuse_writes(call)
        text = self._with_engine_ids(task.text) if kind == "KILL" else task.text
        return replace(task, text=text, only_reads=classified.only_reads)

    def _with_engine_ids(self, text: bytes) -> bytes:
        """A `KILL QUERY` names a query by the id that its client gave; the engine has ids of its own."""
        running = {client_query_id(name): found for name, found in sorted(self.engine.running().items())}
        for start, end, literal in reversed(list(string_literals(text))):
            if literal in running:
                text = text[:start] + f"'{running[literal]}'".encode() + text[end:]
        return text

    def _execute(self, task: Task, connection: Connection) -> answers.Ending:
        call = task.call
        chunk = connection.execute(task.text, call.default_format or "TabSeparated", call.parameters)
        compressor = choose_compressor(call.accepted_encodings)
        fmt = "" if task.statement.kind in WITHOUT_RESULT else _output_format(task)
        headers = self._headers(call, fmt, compressor)
        body = compressor.add(chunk.data) + compressor.finish()
        return answers.Ending(headers | answers.summary_header(chunk.statistics), body)

    async def _stream(self, task: Task, connection: Connection, send: Send) -> answers.Ending:
        """Send a result piece by piece, or at its end if the client wants to know how it ended."""
        call = task.call
        compressor = choose_compressor(call.accepted_encodings)
        fmt = _output_format(task)
        stream = await self.in_thread(lambda: _open_stream(connection, task.text, fmt, call.parameters))
        try:
            headers = self._headers(call, fmt, compressor)
            if call.waits_for_end:
                spool, statistics = await self.in_thread(lambda: _collect(stream, compressor))
                return answers.Ending(headers | answers.summary_header(statistics), b"", spool)
            first = await self.in_thread(stream.fetch)
            tag = answers.new_exception_tag()
            headers |= answers.summary_header(first.statistics if first else Statistics())
            headers["X-ClickHouse-Exception-Tag"] = tag
            if first is None:
                return answers.Ending(headers, compressor.finish())
            await answers.start(send, headers)
            await self._send_pieces(stream, first, compressor, tag, send)
            return answers.Ending(None, compressor.finish())
        finally:
            with anyio.CancelScope(shield=True):
                await self.in_thread(stream.cancel)

    async def _send_pieces(
        self, stream: AnyStream, first: Chunk, compressor: Compressor, tag: str, send: Send
    ) -> None:
        def next_piece() -> bytes | None:
            chunk = stream.fetch()
            return None if chunk is None else compressor.add(chunk.data)

        piece: bytes | None = compressor.add(first.data)
        try:
            while piece is not None:
                await answers.send_piece(send, piece)
                piece = await self.in_thread(next_piece)
        except StatementError as error:
            block = answers.exception_block(error, tag)
            await answers.send_piece(send, compressor.add(block) + compressor.finish())
            raise answers.AnswerCutShortError(error.code) from error

    @contextlib.asynccontextmanager
    async def _connection(self, task: Task) -> AsyncIterator[Connection]:
        """A connection that is ready for a statement: admitted, named, with its settings."""
        call = task.call
        await self._replace_running(call)
        if call.running_name in self._running:
            raise StatementError(
                Code.QUERY_WITH_SAME_ID_IS_ALREADY_RUNNING,
                f"Query with id = {call.query_id} is already running",
            )
        self._running.add(call.running_name)
        try:
            async with self._turn(call.account), self._open(task) as connection:
                yield connection
        finally:
            self._running.discard(call.running_name)

    @contextlib.asynccontextmanager
    async def _open(self, task: Task) -> AsyncIterator[Connection]:
        """The session's connection, or a new one that is closed afterwards."""
        call = task.call
        settings = {**call.settings, "log_comment": call.running_name}
        if call.session is not None:
            session = await self.in_thread(partial(self.sessions.acquire, call.account, call.session))
            try:
                keeps = task.statement.kind == "SET"
                await self.in_thread(lambda: session.prepare(settings, call.database, keeps_settings=keeps))
                yield session.connection
                if task.statement.kind == "USE":
                    await self.in_thread(session.follow_database)
            finally:
                self.sessions.release(session, call.session)
            return
        connection = await self.in_thread(self.engine.connect)
        try:
            await self.in_thread(lambda: self._prepare(connection, call, settings))
            yield connection
        finally:
            with anyio.CancelScope(shield=True):
                await self.in_thread(connection.close)

    def _prepare(self, connection: Connection, call: Call, settings: dict[str, str]) -> None:
        connection.restrict(call.account)
        connection.change_settings(settings)
        if call.database:
            connection.use(call.database)

    @contextlib.asynccontextmanager
    async def _turn(self, account: Account) -> AsyncIterator[None]:
        turns = self._turns[account]
        if self._waiting[account] >= _MAX_WAITING:
            raise StatementError(
                Code.TOO_MANY_SIMULTANEOUS_QUERIES, f"Too many simultaneous queries of the {account}"
            )
        self._waiting[account] += 1
        try:
            await asyncio.wait_for(turns.acquire(), _ADMISSION_SECONDS)
        except TimeoutError:
            raise StatementError(
                Code.TOO_MANY_SIMULTANEOUS_QUERIES, f"Too many simultaneous queries of the {account}"
            ) from None
        finally:
            self._waiting[account] -= 1
        try:
            yield
        finally:
            turns.release()

    async def _replace_running(self, call: Call) -> None:
        if not call.replaces_running:
            return
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_ADMISSION_SECONDS):
                while call.running_name in self._running:
                    await self.in_thread(lambda: self.engine.kill(call.running_name))
                    await asyncio.sleep(0.05)

    @contextlib.asynccontextmanager
    async def _ended_with_client(self, call: Call, receive: Receive) -> AsyncIterator[None]:
        """End the statement when its client goes away."""

        async def watch() -> None:
            while (await receive())["type"] != "http.disconnect":
                pass
            await self.in_thread(lambda: self.engine.kill(call.running_name))

        watching = asyncio.create_task(watch())
        try:
            yield
        finally:
            watching.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await watching

    def _headers(self, call: Call, fmt: str = "", compressor: Compressor | None = None) -> dict[str, str]:
        timezone = call.settings.get("session_timezone") or self.engine.timezone
        headers = answers.common_headers(call.query_id, timezone)
        if fmt:
            headers |= answers.format_headers(fmt)
        if compressor is not None and compressor.encoding:
            headers["Content-Encoding"] = compressor.encoding
        return headers


def _refuse_writes(call: Call) -> None:
    if call.account.only_reads:
        raise StatementError(Code.READONLY, "Cannot execute query in readonly mode: this user only reads")
    if call.reads_only:
        raise StatementError(
            Code.READONLY,
            "Cannot execute query in readonly mode. For queries over HTTP, method GET implies readonly. "
            "You should use method POST for modifying queries",
        )


def _streams(task: Task) -> bool:
    fmt = _output_format(task).lower()
    return task.statement.kind == "SELECT" and (
        fmt in answers.STREAMABLE_FORMATS or fmt == arrow_stream.FORMAT
    )


def _open_stream(connection: Connection, text: bytes, fmt: str, parameters: Mapping[str, str]) -> AnyStream:
    stream = connection.stream(text, fmt, parameters)
    if fmt.lower() != arrow_stream.FORMAT:
        return stream
    return arrow_stream.ArrowResultStream(stream, connection, text, parameters)


def _output_format(task: Task) -> str:
    return task.statement.format or task.call.default_format or "TabSeparated"


def _collect(stream: AnyStream, compressor: Compressor) -> tuple[IO[bytes], Statistics]:
    """A whole result, in memory if it is small and in a file if not, and what it took."""
    statistics = Statistics()
    spool = tempfile.SpooledTemporaryFile(_SPOOL_BYTES)  # noqa: SIM115 - closed by the code that sends it
    try:
        while (chunk := stream.fetch()) is not None:
            spool.write(compressor.add(chunk.data))
            statistics = replace(
                chunk.statistics,
                result_rows=statistics.result_rows + chunk.statistics.result_rows,
                result_bytes=statistics.result_bytes + chunk.statistics.result_bytes,
            )
        spool.write(compressor.finish())
    except BaseException:
        spool.close()
        raise
    return spool, statistics
