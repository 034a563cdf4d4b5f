"""The pipelines step by step, as Mage's blocks call them; also so that a process doing it can be killed."""

import json
from collections.abc import Callable
from functools import partial
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
PROCESS_NAMES: tuple[str, ...] = (
    "stage_raw_events",
    *(step.__name__ for step in PROCESS_STEPS[1:]),
)
LOAD_NAMES: tuple[str, ...] = ("inspect_file", "load_file", "report_load")


def load(path: Path) -> Manifest:
    """Loads a file."""
    return csv_load.report_load(csv_load.load_file(csv_load.inspect_file(str(path))))


def run(steps: tuple[Step, ...] = PROCESS_STEPS, manifest: Manifest | None = None) -> Manifest:
    """Takes some steps one after the other."""
    manifest = manifest or {}
    for step in steps:
        manifest = step(manifest)
    return manifest


def take_steps(tell: Callable[[str], None], manifest_file: Path, csv_file: Path | None) -> None:
    """Takes all steps: of `load_csv` with a file, else of `process_events`.

    Args:
        tell: Told the name of each step when it begins, so that a test knows when to kill.
        manifest_file: Has the manifest before the step, as Mage keeps it between blocks.
        csv_file: What to load.
    """
    steps, names = PROCESS_STEPS, PROCESS_NAMES
    if csv_file is not None:
        inspect = partial(csv_load.inspect_file, str(csv_file))
        steps, names = (lambda _nothing: inspect(), csv_load.load_file, csv_load.report_load), LOAD_NAMES
    manifest: Manifest = {}
    for name, step in zip(names, steps, strict=True):
        manifest_file.write_text(json.dumps(manifest))
        tell(name)
        manifest = step(manifest)
