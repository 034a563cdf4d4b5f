"""The pipelines step by step, as Mage's blocks call them; also as a process that can be killed.

    python -m tests.integration.etl.pipelines load FILE
    python -m tests.integration.etl.pipelines process

Each step's name is printed when it begins, so that a test knows when to kill.
"""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from clickstream.etl import csv_load, process

Manifest = dict[str, Any]
Step = Callable[[Manifest], Manifest]

PROCESS_STEPS: tuple[Step, ...] = (
    lambda _nothing: process.stage_raw_events(),
    process.validate_events,
    process.store_quarantined_events,
    process.parse_payload,
    process.store_events,
    process.build_marts,
    process.finish_run,
)
PROCESS_NAMES = (
    "stage_raw_events",
    *(step.__name__ for step in PROCESS_STEPS[1:]),
)
LOAD_NAMES = ("inspect_file", "load_file", "report_load")


def load(path: Path) -> Manifest:
    """Loads a file."""
    return csv_load.report_load(csv_load.load_file(csv_load.inspect_file(str(path))))


def run(steps: tuple[Step, ...] = PROCESS_STEPS, manifest: Manifest | None = None) -> Manifest:
    """Takes some steps one after the other."""
    manifest = manifest or {}
    for step in steps:
        manifest = step(manifest)
    return manifest


def main(arguments: list[str]) -> None:
    """Takes all steps; writes the manifest before each to a file, as Mage does between blocks."""
    is_load = arguments[0] == "load"
    steps: tuple[Step, ...] = (
        (lambda _nothing: csv_load.inspect_file(arguments[2]), csv_load.load_file, csv_load.report_load)
        if is_load
        else PROCESS_STEPS
    )
    manifest: Manifest = {}
    for name, step in zip(LOAD_NAMES if is_load else PROCESS_NAMES, steps, strict=True):
        Path(arguments[1]).write_text(json.dumps(manifest))
        sys.stdout.write(f"step {name}\n")
        sys.stdout.flush()
        manifest = step(manifest)


if __name__ == "__main__":
    main(sys.argv[1:])
