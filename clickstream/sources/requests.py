"""Which request brought a record, asked of the broker, which keeps it for as long as it keeps the record."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from kafka import KafkaConsumer, TopicPartition

from clickstream.settings import BrokerSettings

REQUEST_ID_HEADER: Final = "request_id"
"""Header of a record with the id of the request that brought it; the API's log and answer name it too."""

_ANSWER_MS: Final = 3_000


def request_ids(
    settings: BrokerSettings, records: Iterable[tuple[str, int]]
) -> Mapping[tuple[str, int], str]:
    """The ids of the requests that brought some records, by origin and offset.

    Records that did not come over HTTP, or that the broker no longer has, are left out; so are all of them
    where the broker does not answer.

    Args:
        settings: Where the broker is.
        records: Origins, such as `clickstream.events/0`, with offsets.
    """
    topics = {settings.topic, settings.rejected_topic}
    wanted = {}
    for origin, offset in records:
        topic, _, partition = origin.rpartition("/")
        if topic in topics and partition.isdigit():
            wanted[origin, offset] = TopicPartition(topic, int(partition))
    if not wanted:
        return {}
    try:
        consumer = KafkaConsumer(
            bootstrap_servers=settings.bootstrap_servers,
            client_id="clickstream-trace",
            enable_auto_commit=False,
            consumer_timeout_ms=_ANSWER_MS,
        )
    except Exception:
        return {}
    try:
        found = {key: _request_id(consumer, partition, key[1]) for key, partition in wanted.items()}
    except Exception:
        return {}
    finally:
        consumer.close(autocommit=False)
    return {key: request_id for key, request_id in found.items() if request_id}


def _request_id(consumer: Any, partition: TopicPartition, offset: int) -> str:
    """The id in the header of one record; empty if it has none or is gone."""
    consumer.assign([partition])
    consumer.seek(partition, offset)
    polled = consumer.poll(timeout_ms=_ANSWER_MS, max_records=1)
    for record in polled.get(partition, ()):
        if record.offset == offset:
            named = [value for name, value in record.headers if name == REQUEST_ID_HEADER]
            return named[-1].decode("ascii", "replace") if named and named[-1] else ""
    return ""
