"""The sink: inserts the rows of records, each record once, even if other processes do the same."""

import time
from collections.abc import Sequence
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc
from clickhouse_connect.driver.client import Client

from clickstream.errors import ClickstreamError
from clickstream.etl.run_lock import held_lock
from clickstream.etl.stream import metrics
from clickstream.settings import Settings
from clickstream.sources.broker import BrokerRecord, raw_table
from clickstream.storage.client import Role, connect
from clickstream.storage.raw import insert_raw, last_offset, stored_body

LOCK: Final = "stream_events"
_LOCK_SECONDS: Final = 60.0


class TopicMadeAnewError(ClickstreamError):
    """Another topic of the same name has been stored: its offsets say nothing about this one's."""


class RawWriter:
    """Inserts records into `raw_events`.

    Which records are stored already is asked of the table itself, under a lock: a record that is delivered
    again, or by a process that has lost its partitions without noticing, adds nothing.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._client: Client | None = None

    def write(self, records: Sequence[BrokerRecord]) -> None:
        """Inserts the rows of the records that are not stored yet, all together or not at all.

        Args:
            records: Those of a partition in the order of their offsets.

        Raises:
            ClickstreamError: ClickHouse is unavailable, or the topic was recreated.
            Exception: Whatever else keeps the rows from being inserted; to be tried again.
        """
        started = time.monotonic()
        locks = self._settings.etl_locks
        try:
            client = self._connect()
            with held_lock(client, locks, LOCK, wait_seconds=_LOCK_SECONDS):
                new = without_stored(client, records)
                rows = raw_table(new)
                insert_raw(client, rows, _token(new))
        except Exception:
            self.close()
            raise
        metrics.BATCH.observe(time.monotonic() - started)
        _count(records, new, rows)

    def close(self) -> None:
        """Closes the connection; the next write opens another."""
        client, self._client = self._client, None
        if client is not None:
            client.close()

    def _connect(self) -> Client:
        if self._client is None:
            self._client = connect(self._settings.clickhouse, Role.WRITER)
        return self._client


def without_stored(client: Client, records: Sequence[BrokerRecord]) -> list[BrokerRecord]:
    """The records past the last one stored of their origin.

    Raises:
        TopicMadeAnewError: What is stored under the coordinate of one of the others is another record.
    """
    reached: dict[str, int] = {}
    known: dict[str, BrokerRecord] = {}
    new = []
    for record in records:
        origin = record.origin
        if origin not in reached:
            stored = last_offset(client, origin)
            reached[origin] = -1 if stored is None else stored
        if record.offset > reached[origin]:
            reached[origin] = record.offset
            new.append(record)
        else:
            known[origin] = record
    for record in known.values():
        _check_same(client, record)
    return new


def _check_same(client: Client, record: BrokerRecord) -> None:
    """Checks that the record is the one that is stored under its coordinate.

    The offsets of a topic that was deleted and made again, or of a broker that lost its data, restart at 0.
    """
    rows = raw_table([record])
    if rows.num_rows == 0:
        return
    stored = stored_body(client, record.origin, record.offset, 0)
    # A record that an older version could not take apart was stored whole.
    whole = (record.value or b"").decode(errors="backslashreplace")
    if stored is not None and stored not in (rows["body"][0].as_py(), whole):
        raise TopicMadeAnewError(
            f"{record.origin}:{record.offset} is not the record that raw_events holds under this name: "
            "the topic was recreated.",
            hint="Give it a new name in CLICKSTREAM_BROKER__TOPIC; nothing was read past this record.",
        )


def _token(records: Sequence[BrokerRecord]) -> str:
    """Names a batch: the same records give the same token, other ones another."""
    spans: dict[str, list[BrokerRecord]] = {}
    for record in records:
        spans.setdefault(record.origin, [record, record])[1] = record
    return ",".join(
        f"{origin}:{first.offset}-{last.offset}@{first.received_at_ms}"
        for origin, (first, last) in spans.items()
    )


def _count(records: Sequence[BrokerRecord], new: Sequence[BrokerRecord], rows: pa.Table) -> None:
    for topic in {record.topic for record in records}:
        metrics.RECORDS.labels(topic=topic).inc(sum(record.topic == topic for record in records))
    metrics.KNOWN_RECORDS.inc(len(records) - len(new))
    for column, counter, label in (("source", metrics.ROWS, "source"), ("defect", metrics.DEFECTS, "code")):
        counts: Any = pc.value_counts(rows[column])
        for value, count in zip(counts.field("values"), counts.field("counts"), strict=True):
            if value.as_py():
                counter.labels(**{label: value.as_py()}).inc(count.as_py())
    if new:
        oldest_ms = min(record.received_at_ms for record in new)
        metrics.DELAY.observe(max(0.0, time.time() - oldest_ms / 1_000))
