"""What the broker acknowledged is in raw_events once, through the death of any process."""

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

from stack.launch import service_environment
from stack.processes import free_port
from stack.services import MAGE_PYTHON, service_named
from tests.integration.broker.stream import StreamStack, assert_stored_once, sending
from tests.waiting import wait_until


def test_a_stream_that_is_killed_under_load_stores_each_record_once(stream: StreamStack) -> None:
    with sending(stream) as load:
        load.wait_for(300)
        stream.kill("stream_events")
        load.wait_for(300)

    assert_stored_once(stream, load)


def test_a_broker_that_is_killed_under_load_loses_nothing_that_it_acknowledged(stream: StreamStack) -> None:
    with sending(stream) as load:
        load.wait_for(300)
        stream.kill("kafka")
        load.wait_for(600)

    assert_stored_once(stream, load)


def test_while_clickhouse_is_away_the_stream_waits_and_says_so(stream: StreamStack) -> None:
    """A long outage in some seconds: the settings of these tests make the longest pause 1 s instead of 30."""
    failures = stream.metrics()["failures_total"]
    pid = stream.pid("stream_events")
    with sending(stream) as load:
        load.wait_for(300)
        stream.stop("clickhouse")
        longest = stream.broker.max_pause_seconds
        wait_until(lambda: stream.metrics()["retry_pause_seconds"] == longest, "the pauses have grown")
        wait_until(lambda: stream.metrics()["failures_total"] > failures + 3, "it tries again and again")
        waiting = stream.metrics()
        wait_until(lambda: stream.metrics()["lag_records"] > 300, "the lag shows")
        stream.start("clickhouse")
        load.wait_for(300)

    assert_stored_once(stream, load)
    assert waiting["held_records"] > 0
    assert "Failed to store: ClickHouse does not answer" in stream.log()
    assert "It works again." in stream.log()
    assert stream.metrics()["retry_pause_seconds"] == 0
    assert stream.pid("stream_events") == pid


def test_records_that_are_delivered_again_add_nothing(stream: StreamStack) -> None:
    stream.wait_for_idle()
    before = stream.stored()
    port = free_port("127.0.0.1")

    with second_process(stream, port, CLICKSTREAM_BROKER__CONSUMER_GROUP="begins-anew"):
        wait_until(lambda: stream.metrics(port).get("known_records_total", 0) >= len(before), "all are known")
        assert stream.metrics(port)["rows_total"] == 0

    assert stream.stored() == before


def test_two_processes_share_the_partitions_and_one_takes_over_from_the_other(stream: StreamStack) -> None:
    stream.wait_for_idle()
    port = free_port("127.0.0.1")
    with sending(stream) as load:
        with second_process(stream, port) as second:

            def assigned() -> tuple[float, float]:
                name = "assigned_partitions"
                return stream.metrics().get(name, 0), stream.metrics(port).get(name, 0)

            wait_until(lambda: min(assigned()) >= 1, "both read")
            assert sum(assigned()) == stream.broker.partitions + 1
            load.wait_for(300)
            stored = stream.metrics(port)["rows_total"]
            wait_until(lambda: stream.metrics(port)["rows_total"] > stored, "the second one stores")
            second.send_signal(signal.SIGKILL)
        load.wait_for(300)

    assert_stored_once(stream, load)


def test_a_stream_that_is_stopped_under_load_leaves_nothing_half_done(stream: StreamStack) -> None:
    with sending(stream) as load:
        load.wait_for(300)
        stream.stop("stream_events")
        stream.start("stream_events")

    assert_stored_once(stream, load)
    assert stream.metrics()["known_records_total"] == 0


@contextmanager
def second_process(stream: StreamStack, port: int, **settings: str) -> Iterator[subprocess.Popen[bytes]]:
    """Another process of the pipeline, as on another machine."""
    environment = {
        **service_environment(service_named("stream_events"), stream.stack.settings),
        "CLICKSTREAM_BROKER__CONSUMER_INSTANCE": "second",
        "CLICKSTREAM_BROKER__STREAM_PORT": str(port),
        **settings,
    }
    log = stream.stack.paths.log_of("second").open("w")
    process = subprocess.Popen(
        [MAGE_PYTHON, "-m", "stack.mage_stream"],
        env=environment,
        cwd=stream.stack.paths.home_of("stream_events"),
        stdout=log,
        stderr=log,
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            os.kill(process.pid, signal.SIGKILL)
        process.wait()
        log.close()
