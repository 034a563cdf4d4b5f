"""One stack with the real Kafka, the real ClickHouse gateway and Mage's streaming pipeline."""

from collections.abc import Iterator

import pytest

from stack.isolated import isolated_stack
from tests.integration.broker.stream import StreamStack

SETTINGS = {
    "CLICKSTREAM_BROKER__BATCH_WAIT_SECONDS": "0.2",
    # Small batches: a process is then often killed between an insert and its commit.
    "CLICKSTREAM_BROKER__BATCH_RECORDS": "200",
    "CLICKSTREAM_BROKER__MAX_PAUSE_SECONDS": "1",
}


@pytest.fixture(scope="package")
def stream(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StreamStack]:
    with isolated_stack(tmp_path_factory.mktemp("broker"), ("stream_events", "api"), SETTINGS) as stack:
        yield StreamStack(stack)
