"""Another broker takes the place of the stack's own by one setting."""

import json
from collections.abc import Iterator

import pytest
from kafka import KafkaProducer

from clickstream.cli.runs import reader
from stack.isolated import isolated_stack
from stack.lifecycle import Stack
from stack.status import stack_status
from tests.integration.api.service import ApiStack, event
from tests.waiting import wait_until


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a broker that another stack runs, and that has no topics yet."""
    with isolated_stack(tmp_path_factory.mktemp("elsewhere"), ("kafka",)) as other:
        yield other.settings.broker.bootstrap_servers


@pytest.fixture(scope="module")
def stack(elsewhere: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    setting = {"CLICKSTREAM_BROKER__EXTERNAL_SERVERS": elsewhere}
    with isolated_stack(tmp_path_factory.mktemp("here"), ("kafka", "api", "stream_events"), setting) as here:
        yield here


def test_the_stack_starts_no_broker_of_its_own(stack: Stack) -> None:
    assert {row.name for row in stack_status(stack)} == {
        *("clickhouse", "api", "stream_events", "supervisor")
    }


def test_events_go_through_the_other_broker(stack: Stack, elsewhere: str) -> None:
    api = ApiStack(stack)
    with api.client:
        assert api.is_ready()
        assert api.post([event(session_id="over-http"), event(session_id="over-http", type="hover")]).json()[
            "accepted"
        ]
    producer = KafkaProducer(bootstrap_servers=elsewhere)
    sent = producer.send(stack.settings.broker.topic, json.dumps([event(session_id="direct")]).encode())
    sent.get(timeout=60)
    producer.close()
    client = reader(stack.settings)
    query = (
        "select source, origin like '%rejected%', JSONExtractString(body, 'session_id') from raw_events "
        "order by all"
    )

    wait_until(
        lambda: len(client.query(query).result_rows) == 3, "three events are in raw_events", seconds=30
    )

    assert client.query(query).result_rows == [
        ("broker", 0, "direct"),
        ("http", 0, "over-http"),
        ("http", 1, "over-http"),
    ]
