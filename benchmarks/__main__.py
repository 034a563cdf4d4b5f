"""`make bench`: CSV → raw and raw → marts, in turn with the engine alone, and what memory each takes."""

import dataclasses
import json
import os
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final

import psutil
import typer

from clickstream.cli.output import err, out, print_table
from clickstream.storage.client import Role, connect
from clickstream.storage.migrations import migrate
from generator.csv_writer import write_dataset
from generator.plan import DatasetFiles, Plan
from stack.isolated import isolated_stack

TARGETS: Final = {"CSV → raw": 100_000, "raw → marts": 50_000}
"""Events a second on 2 cores, from the design."""


@dataclass(frozen=True, slots=True)
class Measure:
    """One run of one thing.

    Attributes:
        what: The step.
        who: `pipeline` or `engine alone`.
        events: How many it went through.
        seconds: How long it took.
        peak_bytes: Most memory resident at once, of its process; of the gateway besides, for the pipeline.
        gateway_peak_bytes: The gateway's, for the pipeline.
    """

    what: str
    who: str
    events: int
    seconds: float
    peak_bytes: int
    gateway_peak_bytes: int = 0

    @property
    def events_per_second(self) -> float:
        """The rate."""
        return self.events / self.seconds


def measure(what: str, who: str, events: int, arguments: list[str], gateway: int | None = None) -> Measure:
    """Runs a module in a process of its own and keeps its peak of memory; it prints its seconds last."""
    command = [sys.executable, "-W", "ignore", "-m", *arguments]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    output = process.stdout.read() if process.stdout else ""
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"{who} failed at {what}; see above.")
    gateway_peak = _peak_bytes(gateway) if gateway else 0
    return Measure(what, who, events, float(output.split()[-1]), usage.ru_maxrss * 1024, gateway_peak)


def _peak_bytes(pid: int) -> int:
    """Most memory that a process had resident at once since its start, as Linux keeps it."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))


def run_once(directory: Path, files: DatasetFiles, events: int) -> list[Measure]:
    """Each step by the engine alone and by the pipeline, from empty databases."""
    engine = str(directory / "engine")
    csv = str(files.events)
    stack_directory = directory / "stack"
    stack_directory.mkdir()
    with isolated_stack(stack_directory) as stack:
        settings = stack.settings
        migrate(connect(settings.clickhouse, Role.WRITER), settings.clickhouse)
        gateway = _process_on_port(settings.clickhouse.port)
        return [
            measure("CSV → raw", "engine alone", events, ["benchmarks.engine_alone", "load", engine, csv]),
            measure("CSV → raw", "pipeline", events, ["benchmarks.pipeline", "load", csv], gateway),
            measure("raw → marts", "engine alone", events, ["benchmarks.engine_alone", "transform", engine]),
            measure("raw → marts", "pipeline", events, ["benchmarks.pipeline", "process"], gateway),
        ]


def _process_on_port(port: int) -> int:
    return next(
        connection.pid
        for connection in psutil.net_connections("tcp")
        if connection.status == psutil.CONN_LISTEN
        and connection.laddr
        and connection.laddr[1] == port
        and connection.pid
    )


def main(
    events: Annotated[int, typer.Option(help="Data records of the generated file.")] = 500_000,
    rounds: Annotated[
        int, typer.Option(min=1, help="How often everything is measured; medians are shown.")
    ] = 3,
    json_file: Annotated[Path, typer.Option("--json", help="Where the figures go.")] = Path("var/bench.json"),
) -> None:
    """Measure the pipelines beside the bare engine."""
    measures: list[Measure] = []
    with tempfile.TemporaryDirectory(prefix="bench-") as temporary:
        files = DatasetFiles.beside(Path(temporary) / "events.csv")
        err.print(f"Generating {events:,} records …")
        write_dataset(Plan(events=events, days=30, faults=0.01, duplicates=0.02), files, lambda _done: None)
        for number in range(rounds):
            err.print(f"Round {number + 1} of {rounds} …")
            directory = Path(temporary) / f"round-{number}"
            directory.mkdir()
            measures += run_once(directory, files, events)
    _print(measures)
    json_file.parent.mkdir(parents=True, exist_ok=True)
    json_file.write_text(json.dumps([dataclasses.asdict(measure) for measure in measures], indent=2) + "\n")
    out.print(f"All figures: {json_file}", markup=False)


def _print(measures: list[Measure]) -> None:
    rows: list[tuple[object, ...]] = []
    for what, target in TARGETS.items():
        alone = [one for one in measures if (one.what, one.who) == (what, "engine alone")]
        ours = [one for one in measures if (one.what, one.who) == (what, "pipeline")]
        ratios = [one.seconds / base.seconds for one, base in zip(ours, alone, strict=True)]
        rate = statistics.median(one.events_per_second for one in ours)
        rows.append(
            (
                what,
                round(rate),
                target,
                round(statistics.median(one.events_per_second for one in alone)),
                statistics.median(ratios),
                max(one.peak_bytes for one in ours) // 2**20,
                max(one.gateway_peak_bytes for one in ours) // 2**20,
            )
        )
    columns = ("what", "events/s", "target", "engine alone", "× its time", "peak MiB", "gateway MiB")
    print_table("Median of all rounds", columns, rows)


if __name__ == "__main__":
    typer.run(main)
