"""What the blocks of a pipeline do, in a process of its own: the code that Mage runs, without Mage's start.

python -m benchmarks.pipeline load CSV_FILE
python -m benchmarks.pipeline process
"""

import contextlib
import sys
import time

from clickstream.etl import csv_load, process
from clickstream.etl.judging import judge
from clickstream.storage.raw import RAW_SCHEMA

STEPS = (
    process.validate_events,
    process.store_quarantined_events,
    process.parse_payload,
    process.store_events,
    process.build_marts,
    process.finish_run,
)


def load(csv_path: str) -> None:
    """Loads a file; prints the seconds."""
    start = time.perf_counter()
    with contextlib.redirect_stdout(sys.stderr):
        csv_load.report_load(csv_load.load_file(csv_load.inspect_file(csv_path)))
    sys.stdout.write(f"{time.perf_counter() - start}\n")


def process_all() -> None:
    """Processes all that waits; prints the seconds of each step and of all together, the last."""
    # Great Expectations takes seconds to import, once a process and whatever the number of events.
    judge(RAW_SCHEMA.empty_table(), 0)
    start = time.perf_counter()
    with contextlib.redirect_stdout(sys.stderr):
        manifest = process.stage_raw_events()
        _note("stage_raw_events", start)
        for step in STEPS:
            step_start = time.perf_counter()
            manifest = step(manifest)
            _note(step.__name__, step_start)
    sys.stdout.write(f"{time.perf_counter() - start}\n")


def _note(step: str, start: float) -> None:
    sys.stderr.write(f"{step}: {time.perf_counter() - start:.2f} s\n")


if __name__ == "__main__":
    if sys.argv[1] == "load":
        load(sys.argv[2])
    else:
        process_all()
