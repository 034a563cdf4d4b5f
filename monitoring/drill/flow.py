"""Events that flow during the drill, each sent until it is acknowledged, and what became of them."""

import time
from collections.abc import Sequence
from typing import Final

from clickstream.settings import Settings
from clickstream.storage.checks import run_checks
from clickstream.storage.client import Role, connect
from generator.live.account import Account
from generator.live.options import LiveOptions, Target
from generator.live.run import Run
from generator.live.targets import Targets

_POLL_SECONDS: Final = 0.5


class Flow:
    """Sends events over HTTP and the broker until it is ended."""

    def __init__(self, settings: Settings, rate_per_second: float, seed: int) -> None:
        self._settings = settings
        self._account = Account()
        self._targets = Targets(settings, self._account, lambda _parcel: None)
        options = LiveOptions(
            target=Target.BOTH,
            rate_per_second=rate_per_second,
            faults_percent=2,
            duplicates_percent=2,
            seed=seed,
        )
        self._run = Run(settings, options, self._account, self._targets)

    def start(self) -> None:
        """Begin to send."""
        self._run.start()

    def end(self, seconds: float) -> bool:
        """Make no more events, and wait for the acknowledgements of those that are under way.

        Returns:
            Whether all are acknowledged.
        """
        self._run.stop()
        deadline = time.monotonic() + seconds
        while self._is_waiting() and time.monotonic() < deadline:
            time.sleep(_POLL_SECONDS)
        is_done = not self._is_waiting()
        self._targets.close()
        return is_done

    def acknowledged(self) -> tuple[int, int]:
        """How many events were acknowledged, and how many distinct valid ones are among them."""
        totals = [totals.acknowledged for totals in self._account.totals().values()]
        return sum(one.events for one in totals), sum(one.valid for one in totals)

    def _is_waiting(self) -> bool:
        return any(self._account.unacknowledged(source) for source in self._account.totals())


def stored_events(settings: Settings) -> int:
    """How many distinct events are stored."""
    client = connect(settings.clickhouse, Role.READER)
    try:
        [(distinct,)] = client.query("select uniqExact(id) from events").result_rows
    finally:
        client.close()
    return int(distinct)


def problems_of_data(settings: Settings, valid: int) -> Sequence[str]:
    """What is lost, doubled, or not in balance, once all was processed; nothing if all is well.

    Args:
        settings: Where ClickHouse is.
        valid: How many distinct valid events were acknowledged, of all that are there.
    """
    client = connect(settings.clickhouse, Role.READER)
    try:
        [(stored, distinct)] = client.query("select count(), uniqExact(id) from events").result_rows
        [(unaccounted,)] = client.query("select unaccounted from completeness").result_rows
        failed = [check.name for check in run_checks(client) if not check.passed]
    finally:
        client.close()
    problems = []
    if distinct != valid:
        what = "lost" if distinct < valid else "too many"
        problems.append(f"{abs(valid - distinct):,} of {valid:,} acknowledged valid events are {what}")
    if stored != distinct:
        problems.append(f"{stored - distinct:,} events are stored twice")
    if unaccounted:
        problems.append(f"{unaccounted:,} events are unaccounted for in the ledger")
    if failed:
        problems.append(f"checks of the warehouse fail: {', '.join(failed)}")
    return problems
