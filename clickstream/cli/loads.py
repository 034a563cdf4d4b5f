"""`clickstream load` and `clickstream loads`: files, and what became of them."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from clickstream.cli.output import AsJson, out, print_json, print_result, print_table
from clickstream.cli.runs import Result, load_file, process_origin, reader
from clickstream.errors import BadInputError
from clickstream.files import whole_file
from clickstream.loads.history import Load, origin_of, read_loads
from clickstream.loads.report import FileReport, make_report, write_user_report
from clickstream.settings import Settings, get_settings
from clickstream.sources.csv import CsvFile
from clickstream.sources.header import FileKind


def load(
    file: Annotated[Path, typer.Argument(help="A CSV file of events or users, plain, gzip or zstd.")],
    wait: Annotated[
        bool,
        typer.Option("--wait", help="Wait until the file is processed, and say what became of its lines."),
    ] = False,
    report: Annotated[
        Path | None,
        typer.Option(help="Wait, and write every line with a problem to this CSV file.", metavar="FILE"),
    ] = None,
    excel: Annotated[
        bool,
        typer.Option(
            "--excel", help="Write the report for Excel, as `clickstream quarantine export --excel` does."
        ),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Load a CSV file. Broken lines are quarantined; loading the same file again adds nothing.

    Examples: clickstream load data/sample_events.csv,
    clickstream load events.csv --wait --report problems.csv --excel
    """
    settings = get_settings()
    if excel and report is None:
        raise BadInputError("--excel is about the report.", hint="Add --report FILE.")
    if report is not None and not report.parent.is_dir():
        raise BadInputError(f"{report} can't be written: there is no folder {report.parent}.")
    result = load_file(settings, file)
    if not as_json:
        _print_load(result)
    made = (
        _report(settings, file, msgspec.convert(result["file"], CsvFile), report, for_excel=excel)
        if wait or report
        else None
    )
    if as_json:
        print_json({**result, "report": asdict(made)} if made else result)
    elif made is not None:
        _print_report(made)
    if report is not None and not as_json:
        out.print(f"The lines with a problem are in {report}.", markup=False, soft_wrap=True)


def _print_load(result: Result) -> None:
    for warning in result["file"]["warnings"]:
        out.print(warning, markup=False)
    for broken in result["broken_lines"]:
        out.print(f"Line {broken['line']}: {broken['code']}", markup=False)
    print_result(result, as_json=False)


def _report(
    settings: Settings, file: Path, found: CsvFile, report: Path | None, *, for_excel: bool
) -> FileReport | None:
    """Waits for the events of a file and reports on them; of users there is only the file of the report."""
    if found.kind is FileKind.EVENTS:
        process_origin(settings, origin_of(found.sha256))
    if report is not None:
        return _write_report(settings, file, found, report, for_excel=for_excel)
    return make_report(settings, file.name, found.sha256) if found.kind is FileKind.EVENTS else None


def _write_report(
    settings: Settings, file: Path, found: CsvFile, report: Path, *, for_excel: bool
) -> FileReport | None:
    """Writes the report; gives the counts of a file of events."""
    try:
        with whole_file(report, encoding="utf-8-sig", newline="") as target:
            if found.kind is FileKind.EVENTS:
                return make_report(settings, file.name, found.sha256, target, for_excel=for_excel)
            write_user_report(found, target, for_excel=for_excel)
            return None
    except OSError as error:
        raise BadInputError(f"{report} can't be written: {error.strerror}.") from error


def _print_report(report: FileReport) -> None:
    out.print(_sentence(report.load), markup=False)
    if report.problems:
        print_table(
            "Lines with a problem",
            ("what became of them", "code", "lines", "the first of them"),
            [(one.outcome, one.code, one.events, ", ".join(map(str, one.lines))) for one in report.problems],
        )


def _sentence(load: Load) -> str:
    parts = [f"{load.stored:,} added", f"{load.duplicate:,} duplicates", f"{load.quarantined:,} refused"]
    if load.duplicate:
        parts[1] += (
            f" ({load.same_content:,} with the same content, {load.other_content:,} with other content)"
        )
    if load.replayed:
        parts[2] += (
            f", of which {load.replayed:,} have been sent again and {load.still_open:,} are still open"
        )
    if load.warned:
        parts[0] += f" ({load.warned:,} without some value)"
    return f"Of {load.received:,} lines of this file: {'; '.join(parts)}."


def list_loads(
    limit: Annotated[int, typer.Option(min=1, help="Largest number of files, the latest first.")] = 20,
    as_json: AsJson = False,
) -> None:
    """List the files that were loaded, and what became of their lines.

    Example: clickstream loads --limit 5
    """
    settings = get_settings()
    found = [_compared(settings, load) for load in read_loads(reader(settings), limit)]
    if as_json:
        print_json([asdict(load) for load in found])
        return
    columns = (
        "file",
        "received (UTC)",
        "lines",
        "added",
        "duplicates",
        "other content",
        "refused",
        "still open",
        "waiting",
    )
    print_table("Loaded files", columns, [_row(load) for load in found], empty="No file was loaded yet.")


def _compared(settings: Settings, load: Load) -> Load:
    """The load, with its duplicates compared if that was not done since its last line arrived."""
    if not load.duplicate or not load.lacks_report:
        return load
    return make_report(settings, load.name, load.sha256).load


def _row(load: Load) -> tuple[Any, ...]:
    return (
        load.name or load.sha256[:12],
        f"{load.last_received_at:%Y-%m-%d %H:%M:%S}",
        load.received,
        load.stored,
        load.duplicate,
        load.other_content if load.duplicate else 0,
        load.quarantined,
        load.still_open,
        max(0, load.pending),
    )
