"""Puts records into the broker and tells when it has acknowledged them.

Records of many requests are sent as one batch: as soon as the one before is acknowledged, so that a lone
record waits for nobody and a crowd shares the cost. A batch that is not acknowledged in time ends the whole
session: what waits is dropped and refused, so that a client that was told "not accepted" may repeat it, and a
new session is opened as soon as the broker is back.
"""

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import Mapping
from itertools import cycle
from typing import Final

from aiokafka import AIOKafkaProducer  # type: ignore[import-untyped]
from aiokafka.errors import (  # type: ignore[import-untyped]
    KafkaError,
    MessageSizeTooLargeError,
    RecordListTooLargeError,
)
from aiokafka.producer.message_accumulator import BatchBuilder  # type: ignore[import-untyped]

from api import metrics
from clickstream.logs import REQUEST_ID
from clickstream.settings import ApiSettings, BrokerSettings
from clickstream.sources.requests import REQUEST_ID_HEADER

SOURCE_HEADER: Final = "source"
"""Header of a record that says how its events came in."""

MAX_RECORD_BYTES: Final = 10 << 20
"""Longest record that the loader takes apart; a test holds it equal to the loader's."""

_log: Final = logging.getLogger(__name__)
_BATCH_BYTES: Final = 1 << 20
_FIRST_PAUSE_SECONDS: Final = 0.2
_LAST_PAUSE_SECONDS: Final = 1.0
_CHECK_SECONDS: Final = 2.0
_STOP_SECONDS: Final = 5.0


class BrokerAwayError(Exception):
    """The record was not acknowledged. It may have arrived, if the broker fell silent in the midst."""


class RecordTooLargeError(Exception):
    """The broker takes no record of this size."""


class _Batch:
    """Records that are sent at once, and the requests that wait for them."""

    __slots__ = ("builder", "size", "waiters")

    def __init__(self, builder: BatchBuilder) -> None:
        self.builder = builder
        self.waiters: list[asyncio.Future[None]] = []
        self.size = 0

    def add(self, value: bytes, source: str) -> "asyncio.Future[None] | None":
        """Adds a record; None if it is full."""
        headers = [(SOURCE_HEADER, source.encode()), (REQUEST_ID_HEADER, REQUEST_ID.get().encode())]
        if self.builder.append(key=None, value=value, timestamp=None, headers=headers) is None:
            return None
        waiter = asyncio.get_running_loop().create_future()
        self.waiters.append(waiter)
        self.size += len(value)
        return waiter

    def settle(self, error: Exception | None) -> None:
        """Tells those who wait."""
        for waiter in self.waiters:
            if waiter.done():
                continue
            if error is None:
                waiter.set_result(None)
            else:
                waiter.set_exception(error)
                waiter.exception()  # The request may be gone; nobody is to be warned of it.


class _Lane:
    """What is to go to one topic: batches in order, to each partition in turn."""

    def __init__(self, producer: AIOKafkaProducer, topic: str, partitions: set[int]) -> None:
        self._producer = producer
        self.topic = topic
        self._partitions = cycle(sorted(partitions))
        self._filling: deque[_Batch] = deque()
        self._flying: _Batch | None = None
        self._filled = asyncio.Event()

    @property
    def is_idle(self) -> bool:
        """Whether nothing waits."""
        return self._flying is None and not self._filling

    def add(self, value: bytes, source: str) -> asyncio.Future[None]:
        """Adds a record to the batch that is sent next."""
        waiter = self._filling[-1].add(value, source) if self._filling else None
        while waiter is None:
            # The first record of a batch may have any size.
            self._filling.append(_Batch(self._producer.create_batch()))
            waiter = self._filling[-1].add(value, source)
        self._filled.set()
        return waiter

    async def run(self, linger_seconds: float, timeout_seconds: float) -> None:
        """Sends batch after batch; returns never.

        Raises:
            TimeoutError: One was not acknowledged in time.
            KafkaError: The broker refused one.
        """
        while True:
            await self._filled.wait()
            if linger_seconds:
                await asyncio.sleep(linger_seconds)
            self._flying = self._filling.popleft()
            if not self._filling:
                self._filled.clear()
            with metrics.BROKER_DELIVERY_SECONDS.time():
                error = await self._send(self._flying, timeout_seconds)
            self._flying.settle(error)
            self._flying = None

    async def _send(self, batch: _Batch, timeout_seconds: float) -> Exception | None:
        batch.builder.close()
        async with asyncio.timeout(timeout_seconds):
            sent = await self._producer.send_batch(
                batch.builder, self.topic, partition=next(self._partitions)
            )
            try:
                await sent
            except (MessageSizeTooLargeError, RecordListTooLargeError):
                return RecordTooLargeError()
        return None

    def drop(self, reason: str) -> None:
        """Refuses all that waits."""
        batches = [*([self._flying] if self._flying else []), *self._filling]
        self._filling.clear()
        self._flying = None
        for batch in batches:
            batch.settle(BrokerAwayError(reason))


class _Session:
    """A connection to the broker, from its opening to its first failure."""

    def __init__(self, producer: AIOKafkaProducer, lanes: Mapping[str, _Lane]) -> None:
        self.producer = producer
        self.lanes = lanes

    async def run(self, settings: ApiSettings) -> str:
        """Sends until something fails; says what."""
        linger = settings.linger_ms / 1_000
        running = [
            asyncio.create_task(lane.run(linger, settings.delivery_timeout_seconds))
            for lane in self.lanes.values()
        ]
        try:
            await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
            failed = next(task for task in running if task.done())
            error = failed.exception()
            if isinstance(error, TimeoutError):
                return f"no acknowledgement within {settings.delivery_timeout_seconds:g} s"
            return f"{type(error).__name__}: {error}"
        finally:
            for task in running:
                task.cancel()

    async def flush(self) -> None:
        """Waits until nothing waits any more."""
        while not all(lane.is_idle for lane in self.lanes.values()):
            await asyncio.sleep(0.01)

    def drop(self, reason: str) -> None:
        """Refuses all that waits, and makes the client library forget it."""
        for lane in self.lanes.values():
            lane.drop(reason)


class Broker:
    """The broker as the routes see it."""

    def __init__(self, settings: BrokerSettings, api: ApiSettings) -> None:
        self._settings = settings
        self._api = api
        self._session: _Session | None = None
        self._reason = "not connected yet"
        self._waiting_bytes = 0
        self._keeper: asyncio.Task[None] | None = None
        self._leaving: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Begins to connect; the first attempt is waited for, but need not succeed."""
        await self._connect()
        self._keeper = asyncio.create_task(self._keep())

    async def stop(self) -> None:
        """Delivers what waits, within bounds, and leaves."""
        session = self._session
        if session is not None:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_STOP_SECONDS):
                    await session.flush()
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.wait([self._keeper])
        if session is not None:
            session.drop("the service stops")
            await _leave(session.producer)
        if self._leaving:
            await asyncio.wait(self._leaving)

    async def deliver(self, topic: str, value: bytes, source: str) -> None:
        """Puts a record into a topic and waits for the acknowledgement.

        Raises:
            BrokerAwayError: There was none in time, or there is no connection, or too much waits already.
            RecordTooLargeError: The broker takes no record of this size.
        """
        session = self._session
        if session is None:
            raise BrokerAwayError(self._reason)
        if self._waiting_bytes + len(value) > self._api.max_waiting_bytes:
            raise BrokerAwayError("too much waits for it already")
        self._waiting_bytes += len(value)
        try:
            await session.lanes[topic].add(value, source)
        finally:
            self._waiting_bytes -= len(value)
        metrics.RECORDS[topic == self._settings.topic].inc()

    async def problem(self) -> str | None:
        """Asks the broker whether it is there; None if it is, else what is wrong."""
        session = self._session
        if session is None:
            return self._reason
        try:
            async with asyncio.timeout(_CHECK_SECONDS):
                await session.producer.client.fetch_all_metadata()
        except (TimeoutError, KafkaError, OSError) as error:
            return f"it does not answer: {type(error).__name__}"
        return None

    async def _keep(self) -> None:
        """Opens a session after the other, for as long as the service runs."""
        pause = _FIRST_PAUSE_SECONDS
        while True:
            session = self._session
            if session is None:
                await asyncio.sleep(pause)
                pause = min(2 * pause, _LAST_PAUSE_SECONDS)
                await self._connect()
                continue
            pause = _FIRST_PAUSE_SECONDS
            reason = await session.run(self._api)
            _log.warning("The broker at %s is away: %s", self._settings.bootstrap_servers, reason)
            self._session, self._reason = None, reason
            metrics.BROKER_UP.set(0)
            session.drop(reason)
            leaving = asyncio.create_task(_leave(session.producer))
            self._leaving.add(leaving)
            leaving.add_done_callback(self._leaving.discard)

    async def _connect(self) -> None:
        """Opens a session, if the broker is there and has our topics."""
        producer = AIOKafkaProducer(
            bootstrap_servers=self._settings.bootstrap_servers,
            client_id="clickstream-api",
            acks="all",
            enable_idempotence=True,
            max_batch_size=_BATCH_BYTES,
            max_request_size=2 * MAX_RECORD_BYTES,
            request_timeout_ms=int(self._api.delivery_timeout_seconds * 1_000),
        )
        doing = "connecting"
        lanes: dict[str, _Lane] = {}
        try:
            async with asyncio.timeout(self._api.delivery_timeout_seconds):
                await producer.start()
                for topic in (self._settings.topic, self._settings.rejected_topic):
                    doing = f"looking for the topic {topic}"
                    lanes[topic] = _Lane(producer, topic, await producer.partitions_for(topic))
        except (TimeoutError, KafkaError, OSError) as error:
            self._reason = f"{doing} failed: {type(error).__name__} {error}".rstrip()
            await _leave(producer)
            return
        self._session = _Session(producer, lanes)
        metrics.BROKER_UP.set(1)
        _log.info("Connected to the broker at %s", self._settings.bootstrap_servers)


async def _leave(producer: AIOKafkaProducer) -> None:
    """Closes a producer and forgets what it could not deliver.

    Its own `stop` waits for that, with idempotence for ever, so its parts are ended one by one.
    """
    sender = producer._sender.sender_task
    if sender is not None:
        sender.cancel()
    with contextlib.suppress(TimeoutError, KafkaError, OSError):
        async with asyncio.timeout(_STOP_SECONDS):
            await producer.client.close()
            if sender is not None:
                await asyncio.wait([sender])
    producer._closed = True
