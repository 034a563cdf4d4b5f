"""A flow of events over HTTP and the broker, whose sender remembers each one that was acknowledged."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from clickstream.settings import Settings
from clickstream.sources.broker import BrokerRecord
from generator.live.account import Account, SourceTotals
from generator.live.options import LiveOptions, Source
from generator.live.recall import Recall
from generator.live.run import Run
from generator.live.targets import Targets
from generator.live.wire import Parcel
from tests.integration.generator.topics import valid_ids
from tests.waiting import wait_until


class Flow:
    """Events that are sent again, with the same ids, until each is acknowledged."""

    def __init__(self, settings: Settings, options: LiveOptions) -> None:
        self._options = options
        self._account = Account()
        self._recall = Recall()
        self._parcels: list[Parcel] = []
        self._targets = Targets(settings, self._account, self._remember)
        self._run = Run(settings, options, self._account, self._targets, self._recall)

    @property
    def is_flowing(self) -> bool:
        """Whether events are still being made."""
        return self._run.is_alive

    @property
    def acknowledged(self) -> int:
        """How many events were."""
        return sum(totals.acknowledged.events for totals in self.totals().values())

    def totals(self) -> dict[Source, SourceTotals]:
        """What was acknowledged by source, and what may be there twice."""
        return self._account.totals()

    def acknowledged_ids(self) -> list[int]:
        """The ids of the valid events that were acknowledged, repeated ones as often as they were sent."""
        now_ms = time.time_ns() // 1_000_000
        return valid_ids(
            BrokerRecord(parcel.source, 0, 0, now_ms, parcel.source, parcel.body) for parcel in self._parcels
        )

    def wait_for(self, events: int) -> None:
        """Waits until this many are acknowledged."""
        wait_until(lambda: self.acknowledged >= events, f"{events} events are acknowledged", 120)

    def write_key(self, path: Path) -> None:
        """Writes the answer key of what was acknowledged."""
        self._recall.write_key(path, {}, self._options.sources)

    def start(self, events: int) -> None:
        """Starts to send this many."""
        self._run.start(events)

    def close(self) -> None:
        """Ends it, acknowledged or not."""
        self._run.stop()
        self._targets.close()

    def _remember(self, parcel: Parcel) -> None:
        self._parcels.append(parcel)
        self._recall.acknowledge(parcel)


@contextmanager
def flowing(settings: Settings, options: LiveOptions, events: int) -> Iterator[Flow]:
    """Sends this many events; returns with the last acknowledgement."""
    flow = Flow(settings, options)
    flow.start(events)
    try:
        yield flow
        flow.wait_for(events)
    finally:
        flow.close()
