"""What the tests of this folder ask and do: look at raw_events and the metrics, send, kill."""

import json
import os
import signal
import threading
import urllib.error
import urllib.request
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from kafka.errors import KafkaError
from prometheus_client.parser import text_string_to_metric_families

from clickstream.storage.client import Role, connect
from stack.lifecycle import Stack
from tests.waiting import wait_until

EVENTS_A_RECORD = 20

Coordinate = tuple[str, int]
"""Origin and offset of a record."""


class StreamStack:
    """The stack, seen from the stream."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.broker = stack.settings.broker
        self.clickhouse = connect(stack.settings.clickhouse, Role.WRITER)
        self._group = KafkaConsumer(
            bootstrap_servers=self.broker.bootstrap_servers,
            group_id=self.broker.consumer_group,
            enable_auto_commit=False,
            reconnect_backoff_max_ms=500,
        )
        self._partitions = [
            *(TopicPartition(self.broker.topic, number) for number in range(self.broker.partitions)),
            TopicPartition(self.broker.rejected_topic, 0),
        ]

    def producer(self, **options: object) -> KafkaProducer:
        """A plain producer, as anybody may write one."""
        return KafkaProducer(
            bootstrap_servers=self.broker.bootstrap_servers,
            **{"acks": "all", "retries": 1_000, "max_request_size": 20 << 20, **options},
            reconnect_backoff_max_ms=500,
        )

    def pid(self, service: str) -> int:
        return self.stack.supervisor.processes()[service].pid

    def kill(self, service: str) -> None:
        """`kill -9`, once the service runs."""
        wait_until(lambda: self.pid(service) != 0, f"{service} runs")
        os.kill(self.pid(service), signal.SIGKILL)

    def stop(self, service: str) -> None:
        self.stack.supervisor.stop_process(service)
        wait_until(lambda: self.pid(service) == 0, f"{service} is stopped")

    def start(self, service: str) -> None:
        self.stack.supervisor.start_process(service)

    def metrics(self, port: int | None = None) -> Mapping[str, float]:
        """The sums of the stream's metrics by name; empty if it does not answer."""
        try:
            url = f"http://127.0.0.1:{port or self.broker.stream_port}/metrics"
            with urllib.request.urlopen(url, timeout=5) as answer:
                text = answer.read().decode()
        except (OSError, urllib.error.URLError):
            return {}
        sums: defaultdict[str, float] = defaultdict(float)
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                sums[sample.name.removeprefix("clickstream_stream_")] += sample.value
        return sums

    def log(self) -> str:
        return self.stack.paths.log_of("stream_events").read_text()

    def rows(self, coordinate: Coordinate) -> list[tuple[str, int, str, str]]:
        """Source, item, body and defect of each row of a record."""
        origin, offset = coordinate
        found = self.clickhouse.query(
            "select source, item, body, defect from raw_events "
            "where origin = {origin:String} and offset = {offset:UInt64} order by item",
            parameters={"origin": origin, "offset": offset},
        ).result_rows
        return [(str(source), int(item), str(body), str(defect)) for source, item, body, defect in found]

    def stored(self) -> Counter[Coordinate]:
        """How many rows there are of each record; lines of files are not records."""
        found = self.clickhouse.query(
            "select origin, offset, count() from raw_events where source != 'csv' group by origin, offset"
        ).result_rows
        return Counter({(str(origin), int(offset)): int(rows) for origin, offset, rows in found})

    def repeated(self) -> int:
        """How many coordinates are there more than once."""
        [[count]] = self.clickhouse.query(
            "select count() from (select 1 from raw_events group by origin, offset, item having count() > 1)"
        ).result_rows
        return int(count)

    def is_idle(self) -> bool:
        """Whether the broker counts every record as read."""
        ends = self._group.end_offsets(self._partitions)
        return all((self._group.committed(place) or 0) == ends[place] for place in self._partitions)

    def wait_for_idle(self) -> None:
        """Until all that the topics hold is stored and committed."""
        wait_until(self.is_idle, "the stream has caught up")


@dataclass
class Load:
    """Records that are sent without a pause, and the coordinates of those that the broker acknowledged."""

    acknowledged: list[Coordinate] = field(default_factory=list)
    refused: list[BaseException] = field(default_factory=list)

    def wait_for(self, records: int) -> None:
        """Waits until this many more are acknowledged."""
        wanted = len(self.acknowledged) + records
        wait_until(lambda: len(self.acknowledged) >= wanted, f"{records} more records acknowledged")


@contextmanager
def sending(stream: StreamStack, records_per_second: int = 300) -> Iterator[Load]:
    """Send records of 20 events until the block ends, and wait for the last acknowledgement."""
    load, stop = Load(), threading.Event()

    def send() -> None:
        with_retries = stream.producer(linger_ms=5, delivery_timeout_ms=60_000)
        number = 0
        while not stop.wait(1 / records_per_second):
            number += 1
            value = json.dumps([{"n": number, "item": item} for item in range(EVENTS_A_RECORD)]).encode()
            try:
                future = with_retries.send(stream.broker.topic, value)
            except KafkaError as error:
                load.refused.append(error)
                continue
            future.add_callback(
                lambda sent: load.acknowledged.append((f"{sent.topic}/{sent.partition}", sent.offset))
            )
            future.add_errback(load.refused.append)
        with_retries.flush(timeout=60)
        with_retries.close()

    thread = threading.Thread(target=send)
    thread.start()
    try:
        yield load
    finally:
        stop.set()
        thread.join()


def assert_stored_once(stream: StreamStack, load: Load) -> None:
    """Each acknowledged record is in `raw_events` with all its events, and none is there twice."""
    stream.wait_for_idle()
    stored = stream.stored()
    assert len(load.acknowledged) > 100
    assert [record for record in load.acknowledged if stored[record] != EVENTS_A_RECORD] == []
    assert stream.repeated() == 0
