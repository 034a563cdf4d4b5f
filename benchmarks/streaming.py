"""Topic → raw: the service `stream_events`, beside a consumer that reads the same records and drops them."""

import subprocess
import sys
import time
from datetime import UTC, datetime
from itertools import cycle, islice
from pathlib import Path
from typing import Final

from clickhouse_connect.driver.client import Client
from kafka import KafkaProducer

from benchmarks.bodies import make_bodies
from benchmarks.files import peak_bytes
from benchmarks.samples import TOPIC_TO_RAW, Extent, Sample
from clickstream.settings import BrokerSettings
from clickstream.storage.client import Role, connect
from stack.isolated import isolated_stack
from stack.lifecycle import Stack
from stack.processes import holder_of

SERVICE: Final = "stream_events"
EVENTS_A_RECORD: Final = 100
LEAST_EVENTS: Final = 200_000
"""Fewer would be stored in a few inserts, from which no rate can be told."""

_DIFFERENT_RECORDS: Final = 500
_PATIENCE_SECONDS: Final = 180.0
_POLL_SECONDS: Final = 0.2


def measure_streaming(directory: Path, extent: Extent) -> list[Sample]:
    """Fills the topic while nobody reads it, then has each read it.

    The time begins when the first batch is stored, so that neither the start of a process nor its joining of
    the consumer group is in it, and ends with the last batch.
    """
    records = max(extent.events, LEAST_EVENTS) // EVENTS_A_RECORD
    samples = []
    with isolated_stack(directory, (SERVICE,)) as stack:
        client = connect(stack.settings.clickhouse, Role.READER)
        bodies = make_bodies(_DIFFERENT_RECORDS, EVENTS_A_RECORD, "stream")
        for _ in range(extent.rounds):
            _stop_stream(stack)
            _fill_topic(stack.settings.broker, list(islice(cycle(bodies), records)))
            alone = _read_alone(records)
            samples.append(_read_to_raw(stack, client, records * EVENTS_A_RECORD, alone))
    return samples


def _stop_stream(stack: Stack) -> None:
    """Stops the service and waits until it reads no more."""
    stack.supervisor.stop_process(SERVICE)
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while stack.supervisor.processes()[SERVICE].pid:
        if time.monotonic() > deadline:
            raise SystemExit(f"{SERVICE} does not stop.")
        time.sleep(_POLL_SECONDS)


def _fill_topic(broker: BrokerSettings, values: list[bytes]) -> None:
    """Sends records as a plain producer does; all are acknowledged at the end."""
    producer = KafkaProducer(
        bootstrap_servers=broker.bootstrap_servers,
        acks="all",
        linger_ms=5,
        max_in_flight_requests_per_connection=1,
    )
    sent = [producer.send(broker.topic, value) for value in values]
    producer.flush(timeout=_PATIENCE_SECONDS)
    for future in sent:
        future.get(timeout=_PATIENCE_SECONDS)
    producer.close()


def _read_alone(records: int) -> float:
    """Events a second of the baseline."""
    command = [sys.executable, "-m", "benchmarks.topic_alone", str(records)]
    output = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if output.returncode:
        raise SystemExit("Reading the topic alone failed; see above.")
    return float(output.stdout.split()[-1]) * EVENTS_A_RECORD


def _read_to_raw(stack: Stack, client: Client, events: int, alone: float) -> Sample:
    start = datetime.now(UTC)
    stack.supervisor.start_process(SERVICE)
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while (stored := _stored(inserts := _inserts_since(client, start))) < events:
        if time.monotonic() > deadline:
            raise SystemExit(f"Of {events:,} events {stored:,} are in raw_events, and it gets late.")
        time.sleep(_POLL_SECONDS)
    (first, in_first), (last, _) = inserts[0], inserts[-1]
    process = holder_of(stack.settings.broker.stream_port)
    return Sample(
        TOPIC_TO_RAW,
        (events - in_first) / (last - first).total_seconds(),
        alone,
        {
            "events": events,
            "inserts": len(inserts),
            "peak MiB": peak_bytes(process.pid) // 2**20 if process else 0,
        },
    )


def _stored(inserts: list[tuple[datetime, int]]) -> int:
    return sum(count for _, count in inserts)


def _inserts_since(client: Client, moment: datetime) -> list[tuple[datetime, int]]:
    """When rows were inserted, and how many each time."""
    return [
        (loaded_at, int(count))
        for loaded_at, count in client.query(
            "select loaded_at, count() from raw_events where loaded_at >= {moment:DateTime64(3)} "
            "group by loaded_at order by loaded_at",
            parameters={"moment": moment},
        ).result_rows
    ]
