"""The project's topics, made where they are missing."""

from collections.abc import Mapping
from typing import Final

from kafka.admin import KafkaAdminClient, NewTopic
from kafka.errors import KafkaError, TopicAlreadyExistsError

from clickstream.errors import ServiceUnavailableError
from clickstream.settings import BrokerSettings

MAX_SENT_BYTES: Final = 16 << 20
"""Longest record that the topics take; the broker refuses a longer one, and its producer is told."""

TOPIC_CONFIG: Final[Mapping[str, str]] = {
    # A record's time is that of its receipt, whatever the sender's clock says.
    "message.timestamp.type": "LogAppendTime",
    "max.message.bytes": str(MAX_SENT_BYTES),
    # As sent, whatever compression the sender chose.
    "compression.type": "producer",
}
TIMEOUT_MS: Final = 10_000


def ensure_topics(settings: BrokerSettings) -> list[str]:
    """Makes the topics that are missing; those that exist stay as they are.

    Returns:
        The topics that were made.

    Raises:
        ServiceUnavailableError: The broker does not answer, or refuses.
    """
    wanted = {settings.topic: settings.partitions, settings.rejected_topic: 1}
    try:
        admin = KafkaAdminClient(bootstrap_servers=settings.bootstrap_servers, request_timeout_ms=TIMEOUT_MS)
        try:
            return [
                name
                for name, partitions in wanted.items()
                if name not in admin.list_topics() and _make(admin, name, partitions, settings.replicas)
            ]
        finally:
            admin.close()
    except KafkaError as error:
        raise ServiceUnavailableError(
            f"The topics can't be made at {settings.bootstrap_servers}: {error}.",
            hint="See that the broker runs, and that it lets this client make topics.",
        ) from error


def _make(admin: KafkaAdminClient, name: str, partitions: int, replicas: int) -> bool:
    """Makes a topic; False if somebody else made it at the same moment."""
    try:
        admin.create_topics(
            [NewTopic(name, partitions, replicas, topic_configs=dict(TOPIC_CONFIG))], timeout_ms=TIMEOUT_MS
        )
    except TopicAlreadyExistsError:
        return False
    return True
