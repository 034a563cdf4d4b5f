"""What is in the topics, read without the help of what is tested."""

from collections.abc import Iterable

from kafka import KafkaConsumer, TopicPartition

from clickstream.decode import SentEvent, read_record, read_values
from clickstream.event.rules import Receipt, find_errors
from clickstream.settings import BrokerSettings
from clickstream.sources.broker import BrokerRecord, source_of, split_value


class Bookmark:
    """Both topics from a moment on."""

    def __init__(self, settings: BrokerSettings) -> None:
        self._settings = settings
        with_topics = self._connect()
        self._partitions = [
            TopicPartition(topic, partition)
            for topic in (settings.topic, settings.rejected_topic)
            for partition in sorted(with_topics.partitions_for_topic(topic) or ())
        ]
        self._begin = with_topics.end_offsets(self._partitions)
        with_topics.close()

    def read(self) -> list[BrokerRecord]:
        """All records since then."""
        consumer = self._connect()
        ends = consumer.end_offsets(self._partitions)
        consumer.assign(self._partitions)
        for partition in self._partitions:
            consumer.seek(partition, self._begin[partition])
        records = []
        while any(consumer.position(partition) < ends[partition] for partition in self._partitions):
            for batch in consumer.poll(timeout_ms=500).values():
                records += [
                    BrokerRecord(
                        record.topic,
                        record.partition,
                        record.offset,
                        record.timestamp,
                        source_of(record.headers),
                        record.value,
                    )
                    for record in batch
                ]
        consumer.close()
        return records

    def _connect(self) -> KafkaConsumer:
        return KafkaConsumer(bootstrap_servers=self._settings.bootstrap_servers, group_id=None)


def count_items(records: Iterable[BrokerRecord]) -> int:
    return sum(len(split_value(record.value)) for record in records)


def valid_ids(records: Iterable[BrokerRecord]) -> list[int]:
    """The ids of the events that keep the contract, as often as they are there."""
    ids = []
    for record in records:
        for item in split_value(record.value):
            if item.defect is not None:
                continue
            event = read_record(item.text.decode())
            if isinstance(event, SentEvent):
                values = read_values(event)
                if not find_errors(values, Receipt(record.received_at_ms, 300_000)):
                    ids.append(int(values.id))
    return ids
