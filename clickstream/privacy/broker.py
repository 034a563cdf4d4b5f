"""Until when the broker holds what it was sent: its records can't be deleted one by one."""

import socket
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from kafka.admin import ConfigResource, ConfigResourceType, KafkaAdminClient
from kafka.errors import KafkaError

from clickstream.privacy.receipt import Remains
from clickstream.settings import BrokerSettings

_TIMEOUT_MS: Final = 5_000
_SEGMENT_HOURS: Final = 168
"""Kafka's default of `log.roll.hours`, after which a segment takes no more records."""


def held_by_broker(settings: BrokerSettings, now: datetime) -> list[Remains]:
    """What each topic still holds of the records it has now, and until when at the latest.

    Kafka deletes a segment once its last record is older than the retention, and a segment takes records
    until it is rolled; so a record lives for both times at most.
    """
    topics = (settings.topic, settings.rejected_topic)
    hours = _ask(settings, topics)
    return [_describe(settings, topic, hours.get(topic), now) for topic in topics]


def _describe(settings: BrokerSettings, topic: str, hours: float | None, now: datetime) -> Remains:
    where = f"broker topic {topic}"
    if hours is None and settings.external_servers:
        return Remains(where, "The broker was asked for its retention and did not answer; see its settings.")
    if hours is None:
        hours = settings.retention_hours + _SEGMENT_HOURS
    if hours < 0:
        return Remains(where, "Records as they were sent; this topic keeps them without a limit of time.")
    what = "Records as they were sent, until the retention of the topic ends. What is read again is erased."
    return Remains(where, what, now + timedelta(hours=hours))


def _ask(settings: BrokerSettings, topics: Sequence[str]) -> dict[str, float]:
    """Hours that a record of each topic lives at most, negative for ever; nothing if the broker is away."""
    if not any(map(_listens, settings.bootstrap_servers.split(","))):
        return {}
    try:
        admin = KafkaAdminClient(bootstrap_servers=settings.bootstrap_servers, request_timeout_ms=_TIMEOUT_MS)
        try:
            wanted = [ConfigResource(ConfigResourceType.TOPIC, topic) for topic in topics]
            answers: Any = admin.describe_configs(wanted)
        finally:
            admin.close()
        resources = [resource for answer in answers for resource in answer.resources]
        return {resource[3]: _hours({entry[0]: entry[1] for entry in resource[4]}) for resource in resources}
    except (KafkaError, LookupError, TypeError, ValueError, AttributeError):
        return {}


def _listens(server: str) -> bool:
    host, _, port = server.strip().rpartition(":")
    try:
        socket.create_connection((host, int(port)), timeout=_TIMEOUT_MS / 1_000).close()
    except (OSError, ValueError):
        return False
    return True


def _hours(config: dict[str, str]) -> float:
    retention_ms, segment_ms = int(config["retention.ms"]), int(config["segment.ms"])
    return -1 if retention_ms < 0 else (retention_ms + segment_ms) / 3_600_000
