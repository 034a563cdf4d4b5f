"""The command `generator`."""

import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from pydantic import ValidationError
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from clickstream.errors import BadInputError, ClickstreamError
from generator import live_cli
from generator.csv_writer import write_dataset
from generator.merge import merge_keys
from generator.plan import DEFAULT_UNTIL, DatasetFiles, Plan

EXIT_FAILED = 1
EXIT_BAD_ARGUMENTS = 2

app = typer.Typer(
    help="Make test events of a small shop's visitors, with their answer key.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


@app.callback()
def _describe() -> None:
    """Make test events of a small shop's visitors, with their answer key."""


app.add_typer(live_cli.app, name="live")


@app.command("csv")
def write_csv(
    *,
    events: Annotated[
        int, typer.Option(help="Records in the file, including faults and duplicates.")
    ] = Plan.events,
    days: Annotated[int, typer.Option(help="Number of days (UTC) that the events cover.")] = Plan.days,
    seed: Annotated[int, typer.Option(help="The same seed and options give the same bytes.")] = Plan.seed,
    faults: Annotated[float, typer.Option(help="Share of broken records, such as 0.01.")] = Plan.faults,
    duplicates: Annotated[float, typer.Option(help="Share of repeated records.")] = Plan.duplicates,
    until: Annotated[
        datetime,
        typer.Option(
            formats=["%Y-%m-%d"],
            help="Last day of the data; must be in the past.",
            show_default=str(DEFAULT_UNTIL),
        ),
    ] = datetime(DEFAULT_UNTIL.year, DEFAULT_UNTIL.month, DEFAULT_UNTIL.day),  # noqa: DTZ001 - a day
    out: Annotated[
        Path,
        typer.Option(help="The file to write; .gz or .zst compresses it. Users and key are put beside it."),
    ] = Path("data/generated/events.csv"),
    users: Annotated[
        Path | None, typer.Option(help="The file of users.", show_default="beside --out")
    ] = None,
) -> None:
    """Write a CSV file of events, a CSV file of their users, and the answer key.

    Example: generator csv --events 1000000 --days 90 --seed 7 --out data/generated/big.csv
    """
    files = DatasetFiles.beside(out, users)
    plan = Plan(events, days, seed, faults, duplicates, until.date())
    try:
        plan.check(datetime.now(UTC).date())
        files.check()
    except ClickstreamError as error:
        _fail(error, EXIT_BAD_ARGUMENTS)
    seconds = _write(plan, files)
    typer.echo(
        f"{plan.events:,} records in {seconds:.1f} s ({plan.events / seconds:,.0f}/s): "
        f"{plan.valid_events:,} events, {plan.duplicate_records:,} duplicates, {plan.faulty_records:,} faults"
    )
    for name, path in (("events", files.events), ("users", files.users), ("key", files.key)):
        typer.echo(f"{name:<7}{path}")


@app.command("merge-keys")
def merge(
    keys: Annotated[
        list[Path], typer.Argument(help="Answer keys of `generator csv` or `generator live run`.")
    ],
    out: Annotated[Path, typer.Option(help="The file to write.")],
) -> None:
    """Merge several answer keys into one for all their events.

    Example: generator merge-keys a.key.json b.key.json --out all.key.json
    """
    merge_keys(keys, out)
    typer.echo(f"key    {out}")


def _write(plan: Plan, files: DatasetFiles) -> float:
    """Write the data set under a progress bar; gives the seconds it took."""
    started = time.perf_counter()
    try:
        with _show_progress() as progress:
            task = progress.add_task("events", total=plan.events)
            write_dataset(plan, files, lambda records: progress.advance(task, records))
    except ClickstreamError as error:
        _fail(error, EXIT_FAILED)
    except OSError as error:
        _fail(ClickstreamError(f"Writing failed: {error}.", hint="Is the disk full?"), EXIT_FAILED)
    return time.perf_counter() - started


def _show_progress() -> Progress:
    """A bar on standard error, where people watch; nothing in a pipe or a log."""
    console = Console(stderr=True)
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=console,
        disable=not console.is_terminal,
    )


def _fail(error: ClickstreamError, code: int) -> NoReturn:
    _say(error)
    raise typer.Exit(code)


def _say(error: ClickstreamError) -> None:
    typer.echo(f"generator: {error}", err=True)
    if error.hint:
        typer.echo(error.hint, err=True)


def main() -> None:
    """Run the command line, and say what went wrong in words and by the exit code."""
    try:
        app()
    except ClickstreamError as error:
        _say(error)
        sys.exit(EXIT_BAD_ARGUMENTS if isinstance(error, BadInputError) else EXIT_FAILED)
    except ValidationError as error:
        names = ", ".join(".".join(map(str, problem["loc"])) for problem in error.errors())
        hint = "`make up` makes a .env with all that is needed."
        _say(ClickstreamError(f"Settings are missing or wrong: {names}.", hint=hint))
        sys.exit(EXIT_FAILED)


if __name__ == "__main__":
    main()
