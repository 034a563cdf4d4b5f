"""`make demo`: from nothing to proved marts: start the stack, generate, load, process, verify, report.

Run again, it takes the same file, adds nothing and says so.
"""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from rich.console import Console

from clickstream.cli.output import out, print_table
from clickstream.cli.runs import load_file, process_pending, reader
from clickstream.cli.state import ledger_rows
from clickstream.errors import ClickstreamError
from clickstream.settings import PROJECT_ROOT, Settings, env_file
from clickstream.storage.checks import run_checks
from clickstream.storage.sql import load_sql
from clickstream.verification import compare_with_key, load_key
from generator.csv_writer import write_dataset
from generator.plan import DatasetFiles, Plan
from stack.env_file import load_settings
from stack.lifecycle import Stack
from stack.progress import reporting
from stack.services import chosen_services

EVENTS: Final = 250_000
DAYS: Final = 35
SEED: Final = 2025
FILE: Final = PROJECT_ROOT / "data" / "generated" / "demo.csv"


@dataclass(slots=True)
class Stopwatch:
    """How long each stage took, and of how many events."""

    rows: list[tuple[str, int | None, float, int | None]] = field(default_factory=list)
    events: int | None = None

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Measures what happens inside, which may set `events` to how many it went through."""
        out.print(f"[bold]{name}[/bold] …")
        self.events = None
        start = time.monotonic()
        yield
        seconds = time.monotonic() - start
        rate = round(self.events / seconds) if self.events else None
        self.rows.append((name, self.events, seconds, rate))


def run_demo(console: Console) -> bool:
    """Runs the demo; returns whether everything is as the answer key says.

    Raises:
        ClickstreamError: A stage has failed.
    """
    watch = Stopwatch()
    settings = load_settings()
    with watch.stage("Start the stack"):
        stack_services = [service.name for service in chosen_services(settings)]
        with reporting(console, stack_services) as reporter:
            Stack(settings, reporter).up()
    files = DatasetFiles.beside(FILE)
    with watch.stage("Generate events"):
        watch.events = _generate(files)
    with watch.stage("Load the file"):
        for file in (files.users, files.events):
            result = load_file(settings, file)
            out.print(f"  {result['message']}", markup=False)
            watch.events = result["run"]["counts"]["stored"]
    with watch.stage("Process: validate, store, build marts"):
        results = process_pending(settings)
        for result in results:
            out.print(f"  {result['message']}", markup=False)
        watch.events = sum(result["run"]["counts"]["rows_in"] for result in results)
    with watch.stage("Verify against the answer key"):
        is_right = _verify(settings, files.key)
    _report(settings, watch)
    return is_right


def _generate(files: DatasetFiles) -> int:
    """Writes the file of the demo unless it is there: another day must not add other events.

    Returns:
        How many records were written.
    """
    if files.events.exists() and files.key.exists() and files.users.exists():
        out.print(f"  {files.events.name} is there already; delete it to have newer days.", markup=False)
        return 0
    yesterday = (datetime.now(UTC) - timedelta(days=1)).date()
    plan = Plan(events=EVENTS, days=DAYS, seed=SEED, faults=0.01, duplicates=0.02, until=yesterday)
    files.events.parent.mkdir(parents=True, exist_ok=True)
    write_dataset(plan, files, lambda _done: None)
    return EVENTS


def _verify(settings: Settings, key: Path) -> bool:
    client = reader(settings)
    comparisons = compare_with_key(client, load_key(key))
    checks = run_checks(client)
    for item in comparisons:
        result = f"{len(item.differences)} rows differ" if item.differences else "equal"
        out.print(f"  {item.name}: {item.rows:,} rows, {result}", markup=False)
    failed = [check.name for check in checks if not check.passed]
    out.print(
        f"  {len(checks)} checks of the warehouse, {len(failed)} failed {' '.join(failed)}", markup=False
    )
    return not failed and not any(item.differences for item in comparisons)


def _report(settings: Settings, watch: Stopwatch) -> None:
    client = reader(settings)
    print_table("Ledger", *ledger_rows(client))

    def ask(title: str, query: str, **parameters: Any) -> None:
        result = client.query(load_sql(f"reports/{query}"), parameters=parameters)
        print_table(
            title, result.column_names, [[_shown(cell) for cell in row] for row in result.result_rows]
        )

    ask("Quarantined by source and code", "quarantined_by_code")
    ask("Active users of the last days", "last_active_users", limit=7)
    ask("Top pages", "top_pages", limit=10)
    print_table("Stages", ("stage", "events", "seconds", "events/s"), watch.rows)
    for service in chosen_services(settings):
        out.print(f"{service.name:<12} {service.shown_address(settings)}", markup=False)
    out.print(
        f"Sign in to Mage as {settings.mage.owner_email}; the passwords are in {env_file().name}.",
        markup=False,
    )


def _shown(cell: Any) -> Any:
    return cell if isinstance(cell, int | float) else str(cell)


def main() -> None:
    """Runs the demo; exits with 1 if something failed or is not as it must be."""
    try:
        is_right = run_demo(Console(highlight=False))
    except ClickstreamError as error:
        out.print(f"Error: {error}\n{error.hint}", style="red", markup=False)
        sys.exit(1)
    out.print("Every view equals the answer key." if is_right else "The marts differ from the answer key.")
    sys.exit(0 if is_right else 1)


if __name__ == "__main__":
    main()
