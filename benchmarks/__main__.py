"""`make bench`: measures each way of an event beside a baseline, and prints what it is to reach."""

import os
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Final

import msgspec
import typer

from benchmarks.dashboards import measure_dashboards
from benchmarks.delays import measure_delays
from benchmarks.files import measure_files
from benchmarks.panel_pages import measure_panel
from benchmarks.posting import measure_posting
from benchmarks.samples import Extent, Sample, Subject, median_times, summarize
from benchmarks.streaming import measure_streaming
from clickstream.cli.output import err, out, print_table

PARTS: Final[Mapping[str, Callable[[Path, Extent], list[Sample]]]] = {
    "csv": measure_files,
    "http": measure_posting,
    "stream": measure_streaming,
    "delay": measure_delays,
    "dashboards": measure_dashboards,
    "panel": measure_panel,
}
"""What can be measured by itself: CSV → raw → marts, POST, topic → raw, from sending to the views, from the
views to the browser, and the pages of the panel."""

COLUMNS: Final = ("what", "figure", "target", "reached", "baseline", "its figure", "× its time")
_REACHED: Final = {True: "yes", False: "no", None: ""}
_BUSY_LOAD: Final = 0.7
"""With this many processes running already, the figures would depend on the neighbours."""


def main(
    events: Annotated[
        int, typer.Option(min=1_000, help="Events of the generated file, and of the topic.")
    ] = 500_000,
    rounds: Annotated[
        int, typer.Option(min=1, help="How often everything is measured; medians are shown.")
    ] = 3,
    seconds: Annotated[
        float,
        typer.Option(min=5, help="How long `delay` sends; whole minutes, as often as events are processed."),
    ] = 120,
    dashboard_events: Annotated[
        int, typer.Option(min=100_000, help="Events in the warehouse whose dashboards and panel are opened.")
    ] = 20_000_000,
    only: Annotated[
        list[str] | None,
        typer.Option(help=f"Measure this part alone, of {', '.join(PARTS)}; may be repeated."),
    ] = None,
    json_file: Annotated[Path, typer.Option("--json", help="Where the figures go.")] = Path("var/bench.json"),
) -> None:
    """Measure the ways of an event, each beside a baseline on the same machine in the same run."""
    if unknown := set(only or ()) - set(PARTS):
        raise typer.BadParameter(
            f"There is no part {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}."
        )
    load = os.getloadavg()[0]
    if load > _BUSY_LOAD:
        err.print(f"The machine is busy already (load {load:.1f}): figures will be lower than it can do.")
    extent = Extent(events, rounds, seconds, dashboard_events)
    samples: list[Sample] = []
    for name, measure in PARTS.items():
        if only and name not in only:
            continue
        start = time.monotonic()
        err.print(f"{name} …")
        with tempfile.TemporaryDirectory(prefix=f"bench-{name}-") as directory:
            samples += measure(Path(directory), extent)
        err.print(f"{name}: {time.monotonic() - start:.0f} s")
        # After each part, so that one that fails takes nothing along.
        _write(json_file, samples, load)
    _print(samples)
    out.print(f"All figures: {json_file}", markup=False)


def _by_subject(samples: Sequence[Sample]) -> list[list[Sample]]:
    """The samples of each subject, subjects in the order in which they were measured."""
    subjects = dict.fromkeys(sample.subject for sample in samples)
    return [[sample for sample in samples if sample.subject == subject] for subject in subjects]


def _write(path: Path, samples: Sequence[Sample], load: float) -> None:
    results: list[dict[str, Any]] = []
    for rounds in _by_subject(samples):
        middle = summarize(rounds)
        results.append(
            {
                **msgspec.to_builtins(middle),
                "is_reached": middle.subject.is_reached(middle.figure),
                "times_the_baseline": median_times(rounds),
                "rounds": [msgspec.to_builtins(sample) for sample in rounds],
            }
        )
    found = {"cores": os.cpu_count(), "load_average_before": load, "results": results}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(msgspec.json.format(msgspec.json.encode(found), indent=2) + b"\n")


def _print(samples: Sequence[Sample]) -> None:
    middles = [(summarize(rounds), median_times(rounds)) for rounds in _by_subject(samples)]
    rows: list[tuple[object, ...]] = [
        (
            f"{middle.subject.name}, {middle.subject.unit}",
            _short(middle.figure),
            _target(middle.subject),
            _REACHED[middle.subject.is_reached(middle.figure)],
            middle.subject.baseline,
            None if middle.baseline is None else _short(middle.baseline),
            times,
        )
        for middle, times in middles
    ]
    print_table("Median of all rounds", COLUMNS, rows)
    for middle, _ in middles:
        details = [f"{name} {_short(figure):,}" for name, figure in middle.details.items()]
        if said := [middle.about, *details] if middle.about else details:
            out.print(f"{middle.subject.name}: {', '.join(said)}", markup=False)


def _target(subject: Subject) -> str:
    return "" if subject.target is None else f"{'≥' if subject.is_rate else '<'} {subject.target:,}"


def _short(figure: float) -> float:
    """Without digits that say nothing."""
    return round(figure) if figure >= 100 else round(figure, 2)


if __name__ == "__main__":
    typer.run(main)
