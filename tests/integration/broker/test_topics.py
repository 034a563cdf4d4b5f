"""The project's topics on the real Kafka."""

import pytest
from kafka.admin import ConfigResource, ConfigResourceType, KafkaAdminClient
from kafka.errors import MessageSizeTooLargeError, UnknownTopicOrPartitionError

from clickstream.errors import ServiceUnavailableError
from clickstream.topics import MAX_SENT_BYTES, ensure_topics
from stack.processes import free_port
from tests.integration.broker.stream import StreamStack


@pytest.fixture
def admin(stream: StreamStack) -> KafkaAdminClient:
    return KafkaAdminClient(bootstrap_servers=stream.broker.bootstrap_servers)


def test_topics_are_made_once(stream: StreamStack, admin: KafkaAdminClient) -> None:
    assert ensure_topics(stream.broker) == []

    described = admin.describe_topics([stream.broker.topic, stream.broker.rejected_topic])
    assert {topic["topic"]: len(topic["partitions"]) for topic in described} == {
        stream.broker.topic: 3,
        stream.broker.rejected_topic: 1,
    }


def test_the_broker_sets_the_time_of_a_record(stream: StreamStack, admin: KafkaAdminClient) -> None:
    [answer] = admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, stream.broker.topic)])

    [resource] = answer.resources
    config = {entry[0]: entry[1] for entry in resource[4]}
    assert config["message.timestamp.type"] == "LogAppendTime"
    assert config["max.message.bytes"] == str(MAX_SENT_BYTES)


def test_a_record_that_is_longer_than_a_topic_takes_is_refused_to_its_sender(stream: StreamStack) -> None:
    producer = stream.producer(retries=0)

    with pytest.raises(MessageSizeTooLargeError):
        producer.send(stream.broker.topic, b"x" * (MAX_SENT_BYTES + 1)).get(timeout=60)
    producer.close()


def test_a_misspelt_topic_does_not_spring_into_being(stream: StreamStack, admin: KafkaAdminClient) -> None:
    assert admin.describe_topics(["clickstream.event"])[0]["error_code"] == UnknownTopicOrPartitionError.errno


def test_a_broker_that_is_away_is_said(stream: StreamStack) -> None:
    port = free_port("127.0.0.1")
    away = stream.broker.model_copy(update={"external_servers": f"127.0.0.1:{port}"})

    with pytest.raises(ServiceUnavailableError, match=f"can't be made at 127.0.0.1:{port}"):
        ensure_topics(away)
