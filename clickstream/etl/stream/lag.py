"""How far the stream is behind, asked of the broker by a thread of its own, so that a stall shows as well."""

import threading
from typing import Any, Final

from kafka import KafkaConsumer, TopicPartition

from clickstream.etl.stream import metrics
from clickstream.etl.stream.lifecycle import say
from clickstream.etl.stream.retry import describe
from clickstream.settings import BrokerSettings

EVERY_SECONDS: Final = 5.0
_REQUEST_TIMEOUT_MS: Final = 11_000
_SESSION_TIMEOUT_MS: Final = 10_000
"""Without meaning here, but the client wants it to be shorter than that of requests."""


class LagWatcher(threading.Thread):
    """Sets the metrics of the lag every few seconds until it is stopped."""

    def __init__(self, settings: BrokerSettings) -> None:
        super().__init__(name="lag", daemon=True)
        self._settings = settings
        self._stopping = threading.Event()
        self._consumer: Any = None

    def run(self) -> None:
        """Asks again and again; says once that the broker is away, and once that it is back."""
        was_up = True
        while not self._stopping.is_set():
            problem = self._measure()
            if was_up and problem:
                say(f"The broker at {self._settings.bootstrap_servers} is away: {problem}")
            elif not was_up and not problem:
                say("The broker is back.")
            was_up = not problem
            metrics.BROKER_UP.set(was_up)
            self._stopping.wait(EVERY_SECONDS)
        self._close()

    def stop(self) -> None:
        """Ends the thread soon."""
        self._stopping.set()

    def _measure(self) -> str:
        """Sets the lag of each partition; gives what is wrong in words, or nothing."""
        try:
            self._ask()
        except Exception as error:
            self._close()
            return describe(error)
        return ""

    def _ask(self) -> None:
        if self._consumer is None:
            self._consumer = KafkaConsumer(
                bootstrap_servers=self._settings.bootstrap_servers,
                client_id="clickstream-lag",
                group_id=self._settings.consumer_group,
                enable_auto_commit=False,
                request_timeout_ms=_REQUEST_TIMEOUT_MS,
                session_timeout_ms=_SESSION_TIMEOUT_MS,
            )
        partitions = [
            TopicPartition(topic, number)
            for topic in (self._settings.topic, self._settings.rejected_topic)
            for number in self._consumer.partitions_for_topic(topic) or ()
        ]
        ends = self._consumer.end_offsets(partitions)
        for partition in partitions:
            stored = self._consumer.committed(partition, timeout_ms=_REQUEST_TIMEOUT_MS) or 0
            lag = max(0, ends[partition] - stored)
            metrics.LAG.labels(topic=partition.topic, partition=partition.partition).set(lag)

    def _close(self) -> None:
        consumer, self._consumer = self._consumer, None
        if consumer is not None:
            consumer.close(autocommit=False, timeout_ms=1_000)
