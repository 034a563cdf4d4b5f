"""What a file of events or users is, before it is loaded: how it is written, its first rows, its problems."""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any, Final

import msgspec

from clickstream.decode import SentEvent, explain_defect, read_record, read_values
from clickstream.event.rules import Receipt, find_problems, is_warning
from clickstream.reasons import EventError
from clickstream.settings import get_settings
from clickstream.sources.csv import CsvFile, CsvRecord, encode_body, inspect_csv, open_text, read_records
from clickstream.sources.header import FileKind
from control_panel import jobs, uploads
from control_panel.jobs import Job, JobStatus, Progress
from control_panel.uploads import Upload

PREVIEW: Final = "preview"
RESULT_FILE: Final = "preview.json"
LINES_JUDGED: Final = 10_000

_ROWS_SHOWN: Final = 10
_EXAMPLES_SHOWN: Final = 20
_BLOCK_BYTES: Final = 1 << 20


class Example(msgspec.Struct, frozen=True):
    """One line with a problem.

    Attributes:
        line: Its number in the file.
        code: The rule that it breaks.
        field: The field; empty for the line as a whole.
        message: What is wrong.
        is_refused: Whether the event is kept out of the numbers; else it is stored without the value.
    """

    line: int
    code: str
    field: str
    message: str
    is_refused: bool


class Preview(msgspec.Struct, frozen=True):
    """What was found out about a file.

    Attributes:
        file: What it is and how it is written.
        lines: Its records, as far as is known: exactly if all were judged, else its lines but for the header.
        rows: The first rows, as texts.
        judged: How many records were judged.
        refused: Of these, how many can't be stored.
        codes: How many of the refused ones break each rule; one can break several.
        warned: How many would be stored without some value.
        warned_codes: How many of these break each rule.
        examples: The first lines that break one.
    """

    file: CsvFile
    lines: int
    rows: list[list[str]]
    judged: int
    refused: int
    codes: dict[str, int]
    examples: list[Example]
    warned: int = 0
    warned_codes: dict[str, int] = {}


def begin_preview(upload: Upload, account: str) -> Job:
    """Inspect a file that has arrived, or give the job that does so or did so before.

    Raises:
        ClickstreamError: As many jobs as allowed are running.
    """
    known = preview_of(upload)
    if known is not None and known.state.status is not JobStatus.CANCELLED:
        return known
    title = f"Inspection of {upload.description.name}"
    return jobs.start_job(PREVIEW, title, {"upload": upload.id, "path": str(upload.path)}, account)


def preview_of(upload: Upload) -> Job | None:
    """The job that looks, or has looked, at an upload; None if there is none."""
    found = jobs.list_jobs(PREVIEW)
    return next((job for job in found if job.request.arguments.get("upload") == upload.id), None)


def uploaded_names() -> dict[str, str]:
    """The names of files that were uploaded here, by the hash of their content."""
    names = {}
    for upload in uploads.list_uploads():
        job = preview_of(upload)
        if job is not None and job.state.status is JobStatus.DONE:
            names[read_preview(job).file.sha256] = upload.description.name
    return names


def read_preview(job: Job) -> Preview:
    """The result of a job that is done."""
    return msgspec.json.decode((job.folder / RESULT_FILE).read_bytes(), type=Preview)


def run_preview(folder: Path, arguments: dict[str, Any]) -> str:
    """The work of the job."""
    path = Path(arguments["path"])
    progress = Progress(folder, path.stat().st_size)
    preview = look_at(path, datetime.now(UTC))
    (folder / RESULT_FILE).write_bytes(msgspec.json.encode(preview))
    message = f"{preview.lines:,} lines of {preview.file.kind}: {', '.join(preview.file.recognised)}."
    progress.end(JobStatus.DONE, message)
    return f"{preview.lines:,} lines of {preview.file.kind}."


def look_at(path: Path, now: datetime) -> Preview:
    """Look at a file.

    Raises:
        BadInputError: It can't be a file of events or users; says what it seems to be.
    """
    file = inspect_csv(path)
    rows: list[list[str]] = []
    refused, warned = _Tally(), _Tally()
    examples: list[Example] = []
    judged = 0
    receipt = Receipt(int(now.timestamp() * 1_000), get_settings().etl.future_allowed_seconds * 1_000)
    with open_text(path) as text:
        records = _until_broken_off(read_records(text, file))
        for record in islice(records, LINES_JUDGED):
            judged += 1
            if len(rows) < _ROWS_SHOWN and record.cells:
                rows.append(record.cells)
            problems = _problems(file, record, receipt)
            if problems:
                (warned if all(map(is_warning, problems)) else refused).add(problems)
            examples += [_example(record, problem) for problem in problems if len(examples) < _EXAMPLES_SHOWN]
        is_whole = judged < LINES_JUDGED or next(records, None) is None
    return Preview(
        file,
        judged if is_whole else max(judged, _count_lines(path) - file.header_line),
        rows,
        judged,
        refused.records,
        dict(refused.codes.most_common()),
        examples,
        warned.records,
        dict(warned.codes.most_common()),
    )


class _Tally:
    """Records with a problem, and how many of them break each rule."""

    def __init__(self) -> None:
        self.records = 0
        self.codes: Counter[str] = Counter()

    def add(self, problems: list[EventError]) -> None:
        is_refused = not all(map(is_warning, problems))
        self.records += 1
        self.codes.update(
            {problem.code.value for problem in problems if not (is_refused and is_warning(problem))}
        )


def _problems(file: CsvFile, record: CsvRecord, receipt: Receipt) -> list[EventError]:
    if record.defect is not None:
        return [EventError(record.defect, "", explain_defect(record.defect, record.text), record.text[:200])]
    if file.kind is FileKind.USERS:
        return []
    read = read_record(encode_body(file.columns, record.cells))
    return find_problems(read_values(read), receipt) if isinstance(read, SentEvent) else [read]


def _example(record: CsvRecord, problem: EventError) -> Example:
    return Example(
        record.line, problem.code.value, problem.field, problem.message, is_refused=not is_warning(problem)
    )


def _until_broken_off(records: Iterator[CsvRecord]) -> Iterator[CsvRecord]:
    """The records up to the place where a packed file breaks off; its load says so."""
    try:
        yield from records
    except OSError:
        return


def _count_lines(path: Path) -> int:
    lines = 0
    try:
        with open_text(path) as text:
            while block := text.read(_BLOCK_BYTES):
                lines += block.count(b"\n")
    except OSError:
        return lines
    return lines
