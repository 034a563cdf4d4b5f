"""Files that hold people: rows that runs have staged, and CSV files, which belong to their authors."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

from clickstream.errors import BadInputError
from clickstream.privacy.naming import people_named_in
from clickstream.settings import PROJECT_ROOT, Settings
from clickstream.sources.csv import inspect_csv, open_text, read_records
from clickstream.sources.header import FileKind

_STAGED: Final = ("staging", "replay")
_CSV_NAMES: Final = ("*.csv", "*.tsv", "*.csv.gz", "*.tsv.gz", "*.csv.zst", "*.tsv.zst")
_NOT_FILES_OF_USERS: Final = frozenset({"clickhouse", "kafka", "superset", "prometheus"})


class HoldingFile(NamedTuple):
    """A CSV file that names a person.

    Attributes:
        path: Where it lies.
        lines: How many of its lines do.
    """

    path: Path
    lines: int


def remove_staged_rows(settings: Settings) -> int:
    """Removes what runs between two of their steps have staged; their rows are taken again by the next run.

    The caller holds the locks of these pipelines.

    Returns:
        The number of files.
    """
    roots = [settings.stack.data_path / "etl" / name for name in _STAGED]
    files = sum(path.is_file() for root in roots for path in root.rglob("*"))
    for root in roots:
        shutil.rmtree(root, ignore_errors=True)
    return files


def csv_files(settings: Settings) -> Iterator[Path]:
    """The CSV files of the data directory, uploads among them, and of the checkout's `data/`."""
    data_path = settings.stack.data_path
    roots = [PROJECT_ROOT / "data"]
    if data_path.is_dir():
        roots += [path for path in data_path.iterdir() if path.name not in _NOT_FILES_OF_USERS]
    for root in roots:
        paths = {root} if root.is_file() else {path for name in _CSV_NAMES for path in root.rglob(name)}
        yield from sorted(path for path in paths if path.is_file() and any(map(path.match, _CSV_NAMES)))


def files_that_hold(settings: Settings, user_id: int) -> list[HoldingFile]:
    """The CSV files that name a person; they are not changed."""
    found = ((path, _count_lines(path, user_id)) for path in csv_files(settings))
    return [HoldingFile(path, lines) for path, lines in found if lines]


def _count_lines(path: Path, user_id: int) -> int:
    number = re.compile(rb"(?<![0-9])0*%d(?![0-9])" % user_id)
    try:
        with open_text(path) as text:
            candidates = sum(1 for line in text if number.search(line))
        if not candidates:
            return 0
        return _count_records(path, user_id)
    except (BadInputError, ValueError, OSError):
        # Not a file of events or users, or damaged: each line with this number may be one of theirs.
        return candidates if "candidates" in locals() else 0


def _count_records(path: Path, user_id: int) -> int:
    file = inspect_csv(path)
    name = "id" if file.kind is FileKind.USERS else "user_id"
    place = file.columns.index(name)
    with open_text(path) as text:
        return sum(
            user_id
            in people_named_in(f'{{"user_id": "{record.cells[place]}"}}' if record.cells else record.text)
            for record in read_records(text, file)
        )
