"""Is everything well? If not: what is wrong, and what to do."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from clickstream.storage.runs import RunRecord, RunStatus
from control_panel import text
from control_panel.clients.exporter import Components
from control_panel.clients.readings import Reading
from control_panel.clients.system import Completeness

PROCESSING: Final = "process_events"
PENDING_ALLOWED: Final = timedelta(minutes=5)
"""The pipeline runs every minute; what waits longer is stuck."""

CHECK_ALLOWED: Final = timedelta(minutes=2)
"""The watchdog looks every few seconds."""

_LOOK_YOURSELF: Final = "make status shows it in a terminal."
_GOOD_STATES: Final = frozenset({"up"})
_WAREHOUSE: Final = "clickhouse"


@dataclass(frozen=True, slots=True)
class Concern:
    """One thing that is not well.

    Attributes:
        what: What is wrong, a sentence.
        action: What to do, a sentence.
    """

    what: str
    action: str


def concerns(
    components: Reading[Components],
    completeness: Reading[Completeness | bool],
    runs: Reading[tuple[RunRecord, ...]],
    now: datetime,
    others: Sequence[Reading[Any]] = (),
) -> list[Concern]:
    """What is not well, the most important first.

    Args:
        components: The state of the services.
        completeness: How complete the numbers are.
        runs: The last runs of the pipelines.
        now: The time.
        others: What else the page shows. An answer that is shared for longer than others must not hide that
            its service is away.
    """
    # A stopped warehouse is told as the component that it is, and not also as answers that do not come.
    asked = () if _is_known_to_be_away(components) else (completeness, runs, *others)
    readings = (components, *asked)
    # One outage is reported once, however many parts of the page it concerns.
    problems = {str(one.problem): one.problem for one in readings if one.problem is not None}
    found = [Concern(what, problem.hint) for what, problem in problems.items()]
    found += _of_components(components, now) + _of_data(completeness, now)
    if completeness.problem is None and runs.problem is None:
        found += _of_runs(runs)
    return found


def is_known(*readings: Reading[object]) -> bool:
    """Whether every question has been answered, so that there is a verdict at all."""
    return all(reading.value is not None or reading.problem is not None for reading in readings)


def _is_known_to_be_away(components: Reading[Components]) -> bool:
    """Whether the state of the warehouse's component explains why it does not answer."""
    known = components.value.components if components.value is not None else ()
    return components.problem is None and any(
        one.name == _WAREHOUSE and one.state not in _GOOD_STATES for one in known
    )


def _of_components(reading: Reading[Components], now: datetime) -> list[Concern]:
    if reading.problem is not None or reading.value is None:
        return []
    checked_at = reading.value.checked_at
    if not reading.value.components or checked_at is None:
        return [
            Concern("The state of the services is not known yet: they have not been checked.", _LOOK_YOURSELF)
        ]
    if now - checked_at > CHECK_ALLOWED:
        return [
            Concern(f"The services were checked {text.age(checked_at, now)}, and not since.", _LOOK_YOURSELF)
        ]
    bad = [component for component in reading.value.components if component.state not in _GOOD_STATES]
    return [
        Concern(
            f"{component.name} is {component.state}"
            + (f": {component.reason}" if component.reason else "")
            + ".",
            "It was stopped; make up starts it."
            if component.state == "stopped"
            else f"It is restarted automatically; make logs SERVICE={component.name} shows more.",
        )
        for component in bad
    ]


def _of_data(reading: Reading[Completeness | bool], now: datetime) -> list[Concern]:
    state = reading.value
    if reading.problem is not None or not isinstance(state, Completeness):
        return []
    found = []
    if state.unaccounted:
        found.append(
            Concern(
                f"The ledger does not balance: {state.unaccounted:+,} events are unaccounted for.",
                "The Ledger below shows the rows; clickstream verify checks every table.",
            )
        )
    waiting = now - state.complete_through
    if state.pending and waiting > PENDING_ALLOWED:
        found.append(
            Concern(
                f"{state.pending:,} events have been waiting for {text.duration(waiting.total_seconds())}.",
                f"Open Pipelines and see whether {PROCESSING} runs, or whether its schedule is paused.",
            )
        )
    return found


def _of_runs(reading: Reading[tuple[RunRecord, ...]]) -> list[Concern]:
    latest: dict[str, RunRecord] = {}
    for run in reading.value or ():
        if run.status is not RunStatus.RUNNING:
            latest.setdefault(run.pipeline, run)
    failed = [run for run in latest.values() if run.status is RunStatus.FAILED]
    return [
        Concern(
            f"The last run of {run.pipeline} failed {text.age(run.finished_at)}: {run.message}",
            "Open Pipelines to see the error and to run it again.",
        )
        for run in failed
    ]
