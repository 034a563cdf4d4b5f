"""The source: reads records in batches, hands each batch on until it is stored, then commits its offsets."""

import time
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any, Final

from kafka import ConsumerRebalanceListener, KafkaConsumer, TopicPartition

from clickstream.etl.stream import metrics
from clickstream.etl.stream.health import COMMITTING
from clickstream.etl.stream.lag import LagWatcher
from clickstream.etl.stream.leniency import read_leniently
from clickstream.etl.stream.lifecycle import STOPPING, beat, note, say
from clickstream.etl.stream.retry import Backoff, describe
from clickstream.settings import BrokerSettings
from clickstream.sources.broker import BrokerRecord, source_of
from clickstream.topics import ensure_topics

Handler = Callable[[list[BrokerRecord]], None]
"""Stores records; what it raises means that they are not stored."""

_POLL_SECONDS: Final = 0.5
_POLL_RECORDS: Final = 2_000
_COMMIT_TIMEOUT_MS: Final = 10_000
_CLOSE_TIMEOUT_MS: Final = 5_000
_SUMMARY_SECONDS: Final = 60.0
_IDLE_COMMIT_SECONDS: Final = 2.0
_LOG_APPEND_TIME: Final = 1
"""Kafka's number of a timestamp that the broker has set."""

_CONSUMER_OPTIONS: Final[Mapping[str, object]] = {
    "client_id": "clickstream-stream",
    "enable_auto_commit": False,
    "auto_offset_reset": "earliest",
    # Records of a transaction that was given up were never sent.
    "isolation_level": "read_committed",
    "allow_auto_create_topics": False,
    # The broker gathers a little, so that a trickle of records does not become a storm of answers.
    "fetch_min_bytes": 65_536,
    "fetch_max_wait_ms": 250,
    "max_partition_fetch_bytes": 4 << 20,
    "fetch_max_bytes": 16 << 20,
    "reconnect_backoff_max_ms": 2_000,
    "metrics_enabled": False,
}


class BrokerReader:
    """Reads the topics of events and of rejected events as a member of the consumer group.

    A batch is held until the handler has stored it: while that fails, the partitions are paused, so nothing
    more is read, but the process stays a member of the group. What is held of a partition that goes to
    another member is dropped; that member reads it again.
    """

    def __init__(self, settings: BrokerSettings) -> None:
        read_leniently()
        self._settings = settings
        self._consumer: Any = None
        self._held: list[BrokerRecord] = []
        self._held_bytes = 0
        self._is_paused = False
        self._backoff = Backoff(settings.max_pause_seconds)
        self._lag = LagWatcher(settings)
        self._summary = _Summary()
        self._committed: Mapping[TopicPartition, int | None] = {}
        self._committed_at = 0.0

    def run(self, handle: Handler) -> None:
        """Reads and hands on until the process is asked to stop."""
        self._lag.start()
        try:
            while not STOPPING.is_set():
                beat()
                if self._consumer is None:
                    self._connect()
                elif self._gather():
                    self._deliver(handle)
        finally:
            self.close()

    def close(self) -> None:
        """Leaves the group; what was not committed goes to another member, or to the next start."""
        self._lag.stop()
        consumer, self._consumer = self._consumer, None
        self._held, self._held_bytes = [], 0
        if consumer is not None:
            consumer.close(autocommit=False, timeout_ms=_CLOSE_TIMEOUT_MS)

    def revoked(self, partitions: Collection[TopicPartition]) -> None:
        """Handles revoked and reassigned partitions."""
        gone = set(partitions)
        kept = [record for record in self._held if (record.topic, record.partition) not in gone]
        if len(kept) < len(self._held):
            say(f"{len(self._held) - len(kept):,} records are left to the next reader of their partitions.")
        self._held = kept
        self._held_bytes = sum(len(record.value or b"") for record in kept)
        metrics.ASSIGNED.set(0)

    def assigned(self, partitions: Collection[TopicPartition]) -> None:
        """Notes which partitions are read from now on."""
        names = sorted(f"{topic}/{number}" for topic, number in partitions)
        say(f"Reading {', '.join(names) or 'nothing: other processes read all partitions'}.")
        metrics.ASSIGNED.set(len(names))
        if self._is_paused:
            self._consumer.pause(*partitions)

    def _connect(self) -> None:
        try:
            ensure_topics(self._settings)
            self._consumer = KafkaConsumer(
                bootstrap_servers=self._settings.bootstrap_servers,
                group_id=self._settings.consumer_group,
                group_instance_id=self._settings.consumer_instance or None,
                **_CONSUMER_OPTIONS,
            )
            topics = (self._settings.topic, self._settings.rejected_topic)
            self._consumer.subscribe(topics, listener=_Listener(self))
        except Exception as error:
            self._wait(self._backoff.failed("connect", error))
        else:
            say(f"Connected to {self._settings.bootstrap_servers}.")

    def _gather(self) -> bool:
        """Polls until a batch is full or has waited long enough; False if there is nothing."""
        deadline = None
        while not STOPPING.is_set() and not self._is_full():
            now = time.monotonic()
            wait = _POLL_SECONDS if deadline is None else min(_POLL_SECONDS, deadline - now)
            if wait <= 0:
                break
            try:
                self._poll(wait)
            except Exception as error:
                self._give_up(error)
                return False
            self._backoff.succeeded()
            if not self._held:
                self._commit_if_passed_by()
                break
            if deadline is None:
                deadline = time.monotonic() + self._settings.batch_wait_seconds
        return bool(self._held)

    def _is_full(self) -> bool:
        return (
            len(self._held) >= self._settings.batch_records or self._held_bytes >= self._settings.batch_bytes
        )

    def _poll(self, seconds: float) -> None:
        """Returns what arrives within the time, and stays in the consumer group while it waits."""
        polled = self._consumer.poll(timeout_ms=int(seconds * 1_000), max_records=_POLL_RECORDS)
        now_ms = time.time_ns() // 1_000_000
        for records in polled.values():
            self._held += _broker_records(records, now_ms)
            self._held_bytes += sum(len(record.value or b"") for record in records)
        metrics.HELD_RECORDS.set(len(self._held))

    def _deliver(self, handle: Handler) -> None:
        """Hands on what is held until it is stored, then commits it."""
        while self._held:
            beat()
            try:
                handle(self._held)
            except Exception as error:
                pause = self._backoff.failed("store", error)
                if STOPPING.is_set():
                    return
                self._hold(pause)
            else:
                self._backoff.succeeded()
                self._stored()
                return

    def _hold(self, seconds: float) -> None:
        """Waits without reading on, but as a member of the group."""
        self._is_paused = True
        try:
            self._consumer.pause(*self._consumer.assignment())
            deadline = time.monotonic() + seconds
            while not STOPPING.is_set() and (left := deadline - time.monotonic()) > 0:
                beat()
                self._poll(min(_POLL_SECONDS, left))
        except Exception as error:
            self._give_up(error)
            return
        finally:
            self._is_paused = False
        self._consumer.resume(*self._consumer.assignment())

    def _stored(self) -> None:
        """Forgets and commits what was held."""
        self._summary.add(len(self._held))
        self._held, self._held_bytes = [], 0
        metrics.HELD_RECORDS.set(0)
        self._commit()

    def _commit(self) -> None:
        """Commits all that was read; if that fails, it is read again, and the writer recognises it."""
        self._committed_at = time.monotonic()
        try:
            self._committed = self._positions()
            self._consumer.commit(timeout_ms=_COMMIT_TIMEOUT_MS)
            note(COMMITTING, is_wrong=False)
        except Exception as error:
            note(COMMITTING, is_wrong=True)
            metrics.FAILURES.labels(stage="commit").inc()
            say(f"Stored, but not committed: {describe(error)}")

    def _commit_if_passed_by(self) -> None:
        """Commits past what gives no records, such as a transaction that was given up."""
        is_due = time.monotonic() - self._committed_at >= _IDLE_COMMIT_SECONDS
        if is_due and self._committed != self._positions():
            self._commit()

    def _positions(self) -> Mapping[TopicPartition, int | None]:
        """The next offset of each partition that is read; None where it is not known yet."""
        assignment = self._consumer.assignment()
        return {partition: self._consumer.position(partition, timeout_ms=0) for partition in assignment}

    def _give_up(self, error: Exception) -> None:
        """Drops the connection and what is held, to begin again from what is committed."""
        pause = self._backoff.failed("read", error)
        consumer, self._consumer = self._consumer, None
        self._held, self._held_bytes = [], 0
        try:
            consumer.close(autocommit=False, timeout_ms=_CLOSE_TIMEOUT_MS)
        except Exception as close_error:
            say(f"The connection does not close: {describe(close_error)}")
        self._wait(pause)

    def _wait(self, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while not STOPPING.is_set() and (left := deadline - time.monotonic()) > 0:
            beat()
            STOPPING.wait(min(_POLL_SECONDS, left))


class _Listener(ConsumerRebalanceListener):  # type: ignore[misc]  # kafka-python has no types
    """Tells the reader which partitions are its own."""

    def __init__(self, reader: BrokerReader) -> None:
        self._reader = reader

    def on_partitions_revoked(self, revoked: Collection[TopicPartition]) -> None:
        self._reader.revoked(revoked)

    def on_partitions_assigned(self, assigned: Collection[TopicPartition]) -> None:
        self._reader.assigned(assigned)


class _Summary:
    """Says once a minute how much was stored, if anything was."""

    def __init__(self) -> None:
        self._records = 0
        self._since = time.monotonic()

    def add(self, records: int) -> None:
        self._records += records
        now = time.monotonic()
        if now - self._since >= _SUMMARY_SECONDS:
            say(f"{self._records:,} records stored in {now - self._since:.0f} s.")
            self._records, self._since = 0, now


def _broker_records(records: Iterable[Any], now_ms: int) -> Iterable[BrokerRecord]:
    """kafka-python's records as ours.

    The receipt is the time that the broker has set. Where the topic keeps the sender's time instead, which
    may be anything, it is the present time.
    """
    return [
        BrokerRecord(
            topic=record.topic,
            partition=record.partition,
            offset=record.offset,
            received_at_ms=record.timestamp if record.timestamp_type == _LOG_APPEND_TIME else now_ms,
            source=source_of(record.headers),
            value=record.value,
        )
        for record in records
    ]
