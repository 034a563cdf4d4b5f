"""Mage's pipelines: how they look, how their runs went, and asking for a run."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from clickstream.mage_api import BlockRun, MageClient, PipelineRun, RunStatus, Trigger
from clickstream.settings import get_settings
from clickstream.storage.runs import RunRecord
from control_panel.clients.readings import shared

RUNS_SHOWN: Final = 15
_SOON: Final = timedelta(seconds=30)

_lock = threading.Lock()
_clients: list[MageClient] = []


@dataclass(frozen=True, slots=True)
class Block:
    """One block of a pipeline.

    Attributes:
        name: Its name.
        kind: Mage's type of it, such as `data_loader`.
        upstream: The blocks that it follows.
    """

    name: str
    kind: str
    upstream: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Pipeline:
    """One pipeline.

    Attributes:
        name: Its name.
        description: What it does.
        kind: `python` for a run with an end, `streaming` for one without.
        blocks: Its blocks in order.
        triggers: What starts it.
    """

    name: str
    description: str
    kind: str
    blocks: tuple[Block, ...]
    triggers: tuple[Trigger, ...]

    @property
    def schedule(self) -> Trigger | None:
        """What starts it by itself."""
        return next((trigger for trigger in self.triggers if trigger.is_schedule), None)


@shared(seconds=60)
def pipeline_names() -> tuple[str, ...]:
    """The names of all pipelines."""
    return tuple(_mage().pipeline_names())


@shared(seconds=5)
def pipeline(name: str) -> Pipeline:
    """One pipeline as Mage has read it."""
    mage = _mage()
    found = mage.pipeline(name)
    return Pipeline(
        name=name,
        description=found.get("description") or "",
        kind=str(found.get("type")),
        blocks=tuple(
            Block(str(block["uuid"]), str(block["type"]), tuple(block.get("upstream_blocks") or ()))
            for block in found["blocks"]
        ),
        triggers=tuple(mage.triggers(name)),
    )


@shared(seconds=2)
def runs_of(name: str) -> tuple[PipelineRun, ...]:
    """The latest runs of a pipeline, the latest first."""
    return tuple(_mage().runs(name, RUNS_SHOWN))


@shared(seconds=600)
def failure_of(run: PipelineRun) -> tuple[str, tuple[str, ...]]:
    """The block in which a run failed, and the last lines of its error."""
    block, lines = _mage().failure(run)
    return block, tuple(lines)


def run_now(name: str, variables: Mapping[str, str]) -> int:
    """Ask Mage to run a pipeline; gives the run's id."""
    run_id = _mage().trigger(name, variables)
    runs_of.forget()
    return run_id


def cancel_run(run_id: int) -> None:
    """End a run."""
    _mage().cancel(run_id)
    runs_of.forget()


def set_active(trigger: Trigger, *, active: bool) -> None:
    """Resume or pause a schedule."""
    _mage().set_active(trigger.id, active=active)
    pipeline.forget()


def run_address(run: PipelineRun) -> str:
    """The address of a run on the panel's page Pipelines."""
    return f"/pipelines?pipeline={run.pipeline}&run={run.id}"


def seconds_of(run: PipelineRun | BlockRun, now: datetime) -> float | None:
    """How long a run or a block has taken; until now if it is running, None if it has not started."""
    if run.started_at is None:
        return None
    ends_at = run.completed_at
    if ends_at is None:
        if run.status is not RunStatus.RUNNING:
            return None
        ends_at = now
    return max(0.0, (_utc(ends_at) - _utc(run.started_at)).total_seconds())


def record_of(run: PipelineRun, records: tuple[RunRecord, ...]) -> RunRecord | None:
    """What the pipeline itself noted of a run: Mage does not know how many rows went in and out."""
    if run.started_at is None:
        return None
    begins = _utc(run.started_at) - timedelta(seconds=1)
    # A run that was cut off has no end; what it noted, it noted soon after its start.
    ends = _utc(run.completed_at or run.started_at + _SOON) + timedelta(seconds=1)
    fitting = [
        one for one in records if one.pipeline == run.pipeline and begins <= _utc(one.started_at) <= ends
    ]
    return min(fitting, key=lambda one: one.started_at, default=None)


def _mage() -> MageClient:
    with _lock:
        if not _clients:
            _clients.append(MageClient(get_settings().mage))
        return _clients[0]


def _utc(at: datetime) -> datetime:
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
