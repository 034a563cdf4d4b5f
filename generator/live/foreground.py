"""A live run that a person waits for."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import msgspec

from clickstream.settings import Settings
from generator.live.account import Account
from generator.live.options import LiveOptions, Source
from generator.live.recall import Recall
from generator.live.run import Run
from generator.live.targets import Targets
from generator.live.wire import Parcel, Tally

_POLL_SECONDS: Final = 0.1
_LAST_CHANCE_SECONDS: Final = 5.0
"""How long an interrupted run waits for what is under way."""

OnProgress = Callable[[int, str], None]
"""Told how many events were acknowledged, and what is in the way if anything is."""


class RunResult(msgspec.Struct):
    """What became of a run.

    Attributes:
        sources: What was acknowledged, by source; what the ledger must show.
        uncertain: Events that may be in the ledger twice; see `Account`.
        unacknowledged: Events given up when the run was interrupted: whether they arrived isn't known.
        seconds: How long it took.
        key: The answer key, if one was asked for.
        problem: Why it isn't complete; empty if it is.
    """

    sources: dict[Source, Tally]
    uncertain: int
    unacknowledged: int
    seconds: float
    key: str | None
    problem: str


def run_in_foreground(
    settings: Settings,
    options: LiveOptions,
    *,
    events: int | None,
    at_once_minutes: float | None = None,
    key: Path | None = None,
    on_progress: OnProgress = lambda _acknowledged, _problem: None,
) -> RunResult:
    """Send events until all are acknowledged, or until Ctrl-C.

    Args:
        settings: Where API and broker are.
        options: What to send.
        events: How many; None for no end.
        at_once_minutes: Send them as fast as they are taken, as events of this many past minutes;
            None to send them at the rate.
        key: Where to write the answer key of what was acknowledged.
        on_progress: Called ten times per second.
    """
    account = Account()
    recall = Recall() if key is not None else None

    def count(parcel: Parcel) -> None:
        if recall is not None:
            recall.acknowledge(parcel)

    targets = Targets(settings, account, count)
    run = Run(settings, options, account, targets, recall)
    started = time.monotonic()
    run.start(events, at_once_minutes)
    try:
        while run.is_alive or _under_way(account):
            time.sleep(_POLL_SECONDS)
            on_progress(_acknowledged(account), _problem(targets))
    except KeyboardInterrupt:
        run.stop()
        for sender in targets.known.values():
            sender.drain(_LAST_CHANCE_SECONDS)
    seconds = max(time.monotonic() - started, 1e-3)
    problem = _problem(targets)
    targets.close()
    if recall is not None and key is not None:
        recall.write_key(key, _parameters(options, events, run.name), options.sources)
    left = _under_way(account)
    totals = account.totals()
    return RunResult(
        sources={source: totals[source].acknowledged for source in options.sources},
        uncertain=sum(counted.uncertain.events for counted in totals.values()),
        unacknowledged=left,
        seconds=round(seconds, 3),
        key=str(key) if key is not None else None,
        problem=run.problem or (f"{left:,} events were given up. {problem}" if left else ""),
    )


def _parameters(options: LiveOptions, events: int | None, run: str) -> dict[str, Any]:
    return {"run": run, "events": events, **msgspec.to_builtins(options)}


def _under_way(account: Account) -> int:
    waiting = (parcel for source in Source for parcel in account.unacknowledged(source))
    return sum(parcel.tally.events for parcel in waiting)


def _acknowledged(account: Account) -> int:
    return sum(totals.acknowledged.events for totals in account.totals().values())


def _problem(targets: Targets) -> str:
    return next((sender.problem for sender in targets.known.values() if sender.problem), "")
