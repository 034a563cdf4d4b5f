"""From the sending of an event to its row in `raw_events`, and to a view that counts it."""

import bisect
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import repeat
from pathlib import Path
from typing import Final

from clickhouse_connect.driver.client import Client

from benchmarks.http_client import Task
from benchmarks.posting import Sending, Server
from benchmarks.samples import SENT_TO_RAW, SENT_TO_VIEWS, Extent, Sample, Subject, percentile, percentiles
from clickstream.storage.client import Role, connect
from stack.isolated import isolated_stack

EVENTS_PER_SECOND: Final = 500
_EVENTS_A_REQUEST: Final = 10
_CONNECTIONS: Final = 8
_RAW_LOOK_SECONDS: Final = 0.1
_VIEW_LOOK_SECONDS: Final = 0.5
_PATIENCE_SECONDS: Final = 180.0


@dataclass(slots=True)
class Counter:
    """A count that is looked at again and again.

    Attributes:
        query: What gives it.
        every_seconds: Pause between two looks.
        seen: When it was looked at, seconds since 1970, and what it was; only where it had grown.
    """

    query: str
    every_seconds: float
    seen: list[tuple[float, int]] = field(default_factory=list)
    _due: float = 0.0

    @property
    def count(self) -> int:
        """What it was at the last look."""
        return self.seen[-1][1] if self.seen else 0

    def look(self, client: Client) -> None:
        """Looks, if it is time to."""
        if time.time() < self._due:
            return
        count = int(client.query(self.query).result_rows[0][0])
        if count > self.count:
            self.seen.append((time.time(), count))
        self._due = time.time() + self.every_seconds


def measure_delays(directory: Path, extent: Extent) -> list[Sample]:
    """Sends at a steady rate to the API of a whole stack, whose Mage starts `process_events` each minute."""
    raw = Counter("select count() from raw_events", _RAW_LOOK_SECONDS)
    view = Counter("select sum(views + clicks) from page_views", _VIEW_LOOK_SECONDS)
    task = Task(
        seconds=extent.seconds,
        connections=_CONNECTIONS,
        events_per_body=_EVENTS_A_REQUEST,
        rate=EVENTS_PER_SECOND / _EVENTS_A_REQUEST,
        run="delays",
    )
    with isolated_stack(directory, ("api", "stream_events", "mage")) as stack:
        client = connect(stack.settings.clickhouse, Role.READER)
        sending = Sending(Server.on_port(stack.settings.api.port), task)
        try:
            _look_until_sent(raw, view, client, extent.seconds)
            requests = sorted(sending.outcome().sent_at)
        finally:
            sending.end()
    sent_at = [moment for request in requests for moment in repeat(request, _EVENTS_A_REQUEST)]
    return [_sample(SENT_TO_RAW, sent_at, raw), _sample(SENT_TO_VIEWS, sent_at, view)]


def _look_until_sent(raw: Counter, view: Counter, client: Client, seconds: float) -> None:
    """Looks at both until the views have all that is sent within some seconds."""
    expected = round(EVENTS_PER_SECOND * seconds)
    deadline = time.monotonic() + seconds + _PATIENCE_SECONDS
    while view.count < expected:
        if time.monotonic() > deadline:
            raise SystemExit(f"Of {expected:,} events the views count {view.count:,}, and it gets late.")
        for counter in (raw, view):
            counter.look(client)
        time.sleep(_RAW_LOOK_SECONDS / 4)


def _sample(subject: Subject, sent_at: Sequence[float], counter: Counter) -> Sample:
    delays = delays_of(sent_at, counter.seen)
    return Sample(
        subject, percentile(delays, 95), details={**percentiles(delays, "s"), "events": len(delays)}
    )


def delays_of(sent_at: Sequence[float], seen: Sequence[tuple[float, int]]) -> list[float]:
    """How long after its sending each event was counted, if they are counted in the order of sending.

    Args:
        sent_at: When each was sent, in order.
        seen: Moments and how many were counted then, growing to as many as were sent.
    """
    counts = [count for _, count in seen]
    return [
        seen[bisect.bisect_left(counts, number)][0] - moment for number, moment in enumerate(sent_at, start=1)
    ]
