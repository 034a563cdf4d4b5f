"""Runs of pipelines, as commands: they start a run in Mage, follow it, and say what it did."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError

from clickstream.cli.output import err, progress_bar
from clickstream.loads.history import origin_of
from clickstream.mage_api import MageClient, PipelineRun, RunStatus
from clickstream.settings import Settings
from clickstream.sources.csv import inspect_csv, open_text
from clickstream.sources.header import FileKind
from clickstream.storage.client import Role, connect
from clickstream.storage.raw import count_pending, is_processed, last_offset

_COUNT_BYTES: Final = 1 << 20

Result = dict[str, Any]


def run_pipeline(
    settings: Settings,
    pipeline: str,
    variables: dict[str, str],
    detail: Callable[[], tuple[int | None, int | None, str]] | None = None,
) -> Result:
    """Starts a run, shows its progress, and gives what its last block returned.

    Args:
        settings: Where Mage is.
        pipeline: Its name.
        variables: Its variables.
        detail: Gives what is done, the total and a text to show; the blocks done, if None.

    Raises:
        ClickstreamError: Mage does not answer, or the run has failed; says where.
    """
    with MageClient(settings.mage) as mage, progress_bar() as progress:
        task = progress.add_task(pipeline, total=None, detail="waiting for Mage")

        def show(run: PipelineRun) -> None:
            done = sum(block.status == RunStatus.COMPLETED for block in run.blocks)
            total = len(run.blocks) or None
            text = run.current_block or str(run.status)
            progress.update(task, completed=done, total=total, detail=text)
            if progress.disable and run.current_block:
                err.print(f"  {pipeline}: {text}, step {done + 1} of {total}", markup=False)

        run_id = mage.trigger(pipeline, variables)
        if detail is None:
            run = mage.wait(run_id, show)
        else:
            run = mage.wait(run_id, show, on_poll=lambda: _show_detail(progress, task, detail()))
        return mage.result(run)


def _show_detail(progress: Any, task: Any, state: tuple[int | None, int | None, str]) -> None:
    done, total, text = state
    progress.update(task, completed=done, total=total, detail=text)


def load_file(settings: Settings, path: Path) -> Result:
    """Loads a CSV file of events or users.

    Raises:
        BadInputError: The file cannot be used.
        ClickstreamError: The load has failed.
    """
    file = inspect_csv(path)
    client = connect(settings.clickhouse, Role.READER)
    lines = _count_lines(path)
    origin = origin_of(file.sha256)

    def loaded() -> tuple[int | None, int | None, str]:
        try:
            line = last_offset(client, origin) or 0
        except ClickHouseError:
            return None, lines, "ClickHouse does not answer"  # The run says what comes of it.
        return line, lines, f"{line:,} of {lines:,} lines"

    show = loaded if file.kind is FileKind.EVENTS else None
    return run_pipeline(settings, "load_csv", {"path": str(path.resolve())}, show)


def _count_lines(path: Path) -> int:
    lines = 0
    try:
        with open_text(path) as text:
            while block := text.read(_COUNT_BYTES):
                lines += block.count(b"\n")
    except OSError:
        return lines  # The load says what is wrong with the file.
    return lines


def process_pending(settings: Settings) -> list[Result]:
    """Processes until no raw event is waiting; gives what each run did.

    Raises:
        ClickstreamError: A run has failed.
    """
    client = connect(settings.clickhouse, Role.READER)
    results = [run_pipeline(settings, "process_events", {})]
    waiting = count_pending(client)
    while waiting:
        results.append(run_pipeline(settings, "process_events", {}))
        before, waiting = waiting, count_pending(client)
        if waiting >= before:
            break  # Events arrive as fast as they are processed; the schedule takes them.
    return results


def process_origin(settings: Settings, origin: str) -> None:
    """Processes until every received event of an origin is processed, with others that are waiting.

    Raises:
        ClickstreamError: A run has failed.
    """
    client = connect(settings.clickhouse, Role.READER)
    while not is_processed(client, origin):
        result = run_pipeline(settings, "process_events", {})
        if not result["run"]["counts"]["rows_in"]:
            break  # What was received last has been erased since.


def reader(settings: Settings) -> Client:
    """A connection as the user that only reads."""
    return connect(settings.clickhouse, Role.READER)
