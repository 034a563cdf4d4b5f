"""CSV → raw and raw → marts, in turn with the engine alone, and what memory each takes."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from benchmarks.samples import CSV_TO_RAW, RAW_TO_MARTS, Extent, Sample, Subject
from clickstream.storage.client import Role, connect
from clickstream.storage.migrations import migrate
from generator.csv_writer import write_dataset
from generator.plan import DatasetFiles, Plan
from stack.isolated import isolated_stack
from stack.processes import holder_of


@dataclass(frozen=True, slots=True)
class Run:
    """One run of one step.

    Attributes:
        seconds: How long it took.
        peak_bytes: Most memory resident at once, of its process.
    """

    seconds: float
    peak_bytes: int


def measure_files(directory: Path, extent: Extent) -> list[Sample]:
    """Loads and processes a generated file, each round from empty databases."""
    files = DatasetFiles.beside(directory / "events.csv")
    plan = Plan(events=extent.events, days=30, faults=0.01, duplicates=0.02)
    write_dataset(plan, files, lambda _done: None)
    samples: list[Sample] = []
    for number in range(extent.rounds):
        round_directory = directory / f"round-{number}"
        round_directory.mkdir()
        samples += _run_once(round_directory, str(files.events), extent.events)
    return samples


def _run_once(directory: Path, csv: str, events: int) -> list[Sample]:
    engine = str(directory / "engine")
    stack_directory = directory / "stack"
    stack_directory.mkdir()
    with isolated_stack(stack_directory) as stack:
        settings = stack.settings
        migrate(connect(settings.clickhouse, Role.WRITER), settings.clickhouse)
        gateway = holder_of(settings.clickhouse.port)
        if gateway is None:
            raise SystemExit("The gateway is gone.")
        return [
            _sample(
                CSV_TO_RAW,
                events,
                _run("benchmarks.engine_alone", "load", engine, csv),
                _run("benchmarks.pipeline", "load", csv),
                gateway.pid,
            ),
            _sample(
                RAW_TO_MARTS,
                events,
                _run("benchmarks.engine_alone", "transform", engine),
                _run("benchmarks.pipeline", "process"),
                gateway.pid,
            ),
        ]


def _sample(subject: Subject, events: int, alone: Run, ours: Run, gateway: int) -> Sample:
    return Sample(
        subject,
        events / ours.seconds,
        events / alone.seconds,
        {
            "peak MiB": ours.peak_bytes // 2**20,
            "gateway's peak MiB": peak_bytes(gateway) // 2**20,
            "engine's peak MiB": alone.peak_bytes // 2**20,
        },
    )


def _run(*arguments: str) -> Run:
    """Runs a module in a process of its own and keeps its peak of memory; it prints its seconds last."""
    command = [sys.executable, "-W", "ignore", "-m", *arguments]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    output = process.stdout.read() if process.stdout else ""
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"{' '.join(arguments)} failed; see above.")
    return Run(float(output.split()[-1]), usage.ru_maxrss * 1024)


def peak_bytes(pid: int) -> int:
    """Most memory that a process had resident at once since its start, as Linux keeps it."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))
