"""How far a consumer group is behind, asked of the broker."""

from collections.abc import Mapping
from typing import Any, Final

from kafka import KafkaConsumer, TopicPartition

from clickstream.settings import BrokerSettings

_REQUEST_TIMEOUT_MS: Final = 11_000
_SESSION_TIMEOUT_MS: Final = 10_000
"""Without meaning here, but the client wants it to be shorter than that of requests."""


class LagProbe:
    """Asks the broker how many records of our topics are not stored yet; keeps its connection.

    Attributes:
        stored: The offset up to which each partition was stored when last asked.
    """

    def __init__(self, settings: BrokerSettings, client_id: str) -> None:
        self._settings = settings
        self._client_id = client_id
        self._consumer: Any = None
        self.stored: Mapping[TopicPartition, int] = {}

    def measure(self) -> Mapping[TopicPartition, int]:
        """The lag of each partition in records.

        Raises:
            Exception: The broker does not answer, or refuses; whatever kafka-python raises.
        """
        try:
            return self._ask()
        except Exception:
            self.close()
            raise

    def close(self) -> None:
        """Closes the connection; the next question opens another."""
        consumer, self._consumer = self._consumer, None
        if consumer is not None:
            consumer.close(autocommit=False, timeout_ms=1_000)

    def _ask(self) -> Mapping[TopicPartition, int]:
        if self._consumer is None:
            self._consumer = KafkaConsumer(
                bootstrap_servers=self._settings.bootstrap_servers,
                client_id=self._client_id,
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
        self.stored = {partition: self._stored(partition) for partition in partitions}
        return {partition: max(0, ends[partition] - self.stored[partition]) for partition in partitions}

    def _stored(self, partition: TopicPartition) -> int:
        return self._consumer.committed(partition, timeout_ms=_REQUEST_TIMEOUT_MS) or 0
