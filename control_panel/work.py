"""`python -m control_panel.work FOLDER`: the process of one job."""

import csv
import logging
import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any, Final

import msgspec

from clickstream import logs
from clickstream.errors import ClickstreamError
from clickstream.loads.report import make_report
from clickstream.settings import get_settings
from clickstream.storage.client import Role, connect
from clickstream.verification import Comparison, compare_with_key, load_key
from control_panel.jobs import JobStatus, Progress, read_request
from control_panel.preview import PREVIEW, run_preview
from control_panel.reporting import REPORT
from generator.csv_writer import write_dataset
from generator.merge import merge_keys
from generator.plan import DatasetFiles, Plan

logger: Final = logging.getLogger(__name__)

GENERATE: Final = "generate"
VERIFY: Final = "verify"
EVENTS_FILE: Final = "events.csv"
RESULT_FILE: Final = "result.json"
DIFFERENCES_FILE: Final = "differences.csv"

_SHOWN_DIFFERENCES: Final = 500
"""Differences of one view that are kept."""


class ViewResult(msgspec.Struct, frozen=True):
    """How one view compares with the key.

    Attributes:
        name: The view, or other list of counts.
        rows: Rows that the key has.
        differences: Rows that differ.
    """

    name: str
    rows: int
    differences: int


class DifferentRow(msgspec.Struct, frozen=True):
    """One row that is not as the key says; texts, for a table.

    Attributes:
        view: The view.
        row: What the row is about.
        expected: What the key says; empty if it has no such row.
        found: What the warehouse says; empty if it has no such row.
    """

    view: str
    row: str
    expected: str
    found: str


class VerifyResult(msgspec.Struct, frozen=True):
    """What a verification found."""

    views: list[ViewResult]
    differences: list[DifferentRow]


def run_generate(folder: Path, arguments: dict[str, Any]) -> str:
    """Write a file of events, its users and its answer key."""
    plan = Plan(**{**arguments, "until": date.fromisoformat(arguments["until"])})
    progress = Progress(folder, plan.events)
    write_dataset(plan, DatasetFiles.beside(folder / EVENTS_FILE), progress.advance)
    message = (
        f"{plan.events:,} records: {plan.valid_events:,} events, {plan.duplicate_records:,} duplicates, "
        f"{plan.faulty_records:,} faults."
    )
    progress.end(JobStatus.DONE, message)
    return message


def run_verify(folder: Path, arguments: dict[str, Any]) -> str:
    """Hold the warehouse against an answer key, or against several together."""
    paths = [Path(path) for path in arguments["keys"]]
    progress = Progress(folder, 0)
    key_path = paths[0]
    if len(paths) > 1:
        key_path = folder / "merged.key.json"
        merge_keys(paths, key_path)
    client = connect(get_settings().clickhouse, Role.READER)
    comparisons = compare_with_key(client, load_key(key_path))
    result = summarise(comparisons)
    (folder / RESULT_FILE).write_bytes(msgspec.json.encode(result))
    _write_differences(folder / DIFFERENCES_FILE, result.differences)
    wrong = sum(view.differences for view in result.views)
    message = (
        f"{wrong:,} rows differ from the key."
        if wrong
        else f"Everything matches the key: {sum(view.rows for view in result.views):,} rows are equal."
    )
    progress.end(JobStatus.DONE, message)
    return message


def summarise(comparisons: list[Comparison]) -> VerifyResult:
    """The result of a comparison, as texts."""
    rows = [
        DifferentRow(one.name, _shown(each.row), _shown(each.expected), _shown(each.found))
        for one in comparisons
        for each in one.differences[:_SHOWN_DIFFERENCES]
    ]
    return VerifyResult([ViewResult(one.name, one.rows, len(one.differences)) for one in comparisons], rows)


def _shown(values: Any) -> str:
    return ", ".join(f"{name} {value}" for name, value in (values or {}).items())


def _write_differences(path: Path, rows: list[DifferentRow]) -> None:
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(DifferentRow.__struct_fields__)
        writer.writerows(msgspec.structs.astuple(row) for row in rows)


def run_reports(folder: Path, arguments: dict[str, Any]) -> str:
    """Make the reports on some loaded files, given by hash and name."""
    files = [(str(sha256), str(name)) for sha256, name in arguments["files"]]
    progress = Progress(folder, len(files))
    for sha256, name in files:
        make_report(get_settings(), name, sha256)
        progress.advance(1)
    message = f"{len(files)} reports were made."
    progress.end(JobStatus.DONE, message)
    return message


WORK: Final[dict[str, Callable[[Path, dict[str, Any]], str]]] = {
    GENERATE: run_generate,
    PREVIEW: run_preview,
    REPORT: run_reports,
    VERIFY: run_verify,
}


def main(folder: Path) -> int:
    """Do the job of a folder; the exit code."""
    logs.configure("panel")
    request = read_request(folder)
    try:
        logger.info(WORK[request.kind](folder, request.arguments))
    except ClickstreamError as error:
        Progress(folder, 0).end(JobStatus.FAILED, f"{error} {error.hint}".strip())
        return 1
    except Exception:
        logger.exception("The job failed.")
        Progress(folder, 0).end(
            JobStatus.FAILED, f"The job failed unexpectedly; {folder / 'log'} has the details."
        )
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
