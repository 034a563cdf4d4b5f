"""`make demo`: from nothing to proved marts: start, send events all three ways, process, verify, report.

Run again, it takes the same file, adds nothing and says so.
"""

import argparse
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from rich.console import Console

from clickstream.cli.output import out, print_table
from clickstream.cli.runs import load_file, process_pending, reader
from clickstream.cli.state import ledger_rows
from clickstream.errors import ClickstreamError
from clickstream.settings import PROJECT_ROOT, Settings, get_settings
from clickstream.storage.sql import load_sql
from clickstream.verification import load_key
from generator.csv_writer import write_dataset
from generator.live.control import Status
from generator.live.foreground import run_in_foreground
from generator.live.options import MIN_RATE, LiveOptions, Shape, Target, check_options
from generator.live_cli import call, stop_all
from generator.merge import merge_keys
from generator.plan import DatasetFiles, Plan
from stack.demo_check import (
    ARRIVAL_SECONDS,
    POLL_SECONDS,
    Outcome,
    expected_ledger,
    verify,
    wait_for_arrival,
)
from stack.env_file import load_settings
from stack.lifecycle import Stack
from stack.progress import reporting
from stack.services import PANEL_PAGE, chosen_services, panel_hint, people_addresses, sign_in_hint

CSV_EVENTS: Final = 170_000
LIVE_EVENTS: Final = 40_000
"""Events over the broker, and as many over HTTP."""

DAYS: Final = 35
SEED: Final = 2025
FILE: Final = PROJECT_ROOT / "data" / "generated" / "demo.csv"
LIVE_MINUTES: Final = 60.0
"""How long the live generator goes on when the demo is over."""

LEFT_RUNNING: Final = {
    # As many events as the days before, over the hours of the day.
    "rate_per_second": max(MIN_RATE, (CSV_EVENTS + 2 * LIVE_EVENTS) / (DAYS * 86_400)),
    "shape": Shape.DAILY,
    "target": Target.BOTH,
    "resumes": False,
}
"""What the live generator goes on with; it does not come back when the stack is started again."""


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


def run_demo(console: Console, *, is_running: bool, live_minutes: float = LIVE_MINUTES) -> Outcome:
    """Runs the demo; returns whether everything is as the answer keys say.

    Args:
        console: Where progress is shown.
        is_running: The services run already, as they do in containers; else the stack is started.
        live_minutes: How long the live generator goes on afterwards; 0 for not at all.

    Raises:
        ClickstreamError: A stage has failed.
    """
    watch = Stopwatch()
    settings = get_settings() if is_running else load_settings()
    if not is_running:
        with watch.stage("Start the stack"):
            names = [service.name for service in chosen_services(settings)]
            with reporting(console, names) as reporter:
                Stack(settings, reporter).up()
    before = _stop_live_generator(settings)
    files = DatasetFiles.beside(FILE)
    with watch.stage("Generate a file"):
        watch.events = _generate(files)
    with watch.stage("Load the file"):
        for file in (files.users, files.events):
            result = load_file(settings, file)
            out.print(f"  {result['message']}", markup=False)
            watch.events = result["run"]["counts"]["stored"]
    keys = [files.key]
    for target in (Target.BROKER, Target.HTTP):
        with watch.stage(f"Send over {target.value}"):
            key = settings.stack.data_path / "demo" / f"{target.value}.key.json"
            watch.events = _send(settings, target, key)
            keys.append(key)
    key = settings.stack.data_path / "demo" / "all.key.json"
    merge_keys(keys, key)
    expected = expected_ledger(load_key(key), before)
    with watch.stage("Broker to raw: wait for the last of them"):
        wait_for_arrival(reader(settings), expected)
    with watch.stage("Process: validate, store, build marts"):
        results = process_pending(settings)
        for result in results:
            out.print(f"  {result['message']}", markup=False)
        watch.events = sum(result["run"]["counts"]["rows_in"] for result in results)
    with watch.stage("Verify"):
        has_more = any(source.received for source in before.sources.values())
        outcome = verify(reader(settings), files, expected, None if has_more else key)
    if live_minutes:
        call(settings.generator, "POST", "/start", {**LEFT_RUNNING, "minutes": live_minutes})
    _report(settings, watch, outcome, live_minutes)
    return outcome


def _stop_live_generator(settings: Settings) -> Status:
    """Stops all live generators; returns what they have ever sent, once all of it is acknowledged.

    Raises:
        ClickstreamError: Something was not acknowledged for a long time.
    """
    status = stop_all(settings.generator)
    deadline = time.monotonic() + ARRIVAL_SECONDS
    while any(source.unacknowledged for source in status.sources.values()):
        if time.monotonic() > deadline:
            problem = " ".join(source.problem for source in status.sources.values())
            raise ClickstreamError(f"The live generator can't get rid of its events: {problem}")
        time.sleep(POLL_SECONDS)
        status = call(settings.generator, "GET", "/status")
    return status


def _generate(files: DatasetFiles) -> int:
    """Writes the file of the demo unless it is there: another day must not add other events.

    Returns:
        How many records were written.
    """
    if files.events.exists() and files.key.exists() and files.users.exists():
        out.print(f"  {files.events.name} is there already; delete it to have newer days.", markup=False)
        return 0
    plan = plan_until(datetime.now(UTC))
    files.events.parent.mkdir(parents=True, exist_ok=True)
    write_dataset(plan, files, lambda _done: None)
    return CSV_EVENTS


def plan_until(now: datetime) -> Plan:
    """The demo's file: its last day ends now, so that charts don't end in a fall."""
    minutes = now.hour * 60 + now.minute
    plan = Plan(events=CSV_EVENTS, days=DAYS, seed=SEED, faults=0.01, duplicates=0.02, until=now.date())
    if minutes:
        return replace(plan, last_minutes=minutes)
    return replace(plan, until=now.date() - timedelta(days=1))


def _send(settings: Settings, target: Target, key: Path) -> int:
    """Sends live events one way, unless an earlier demo has; returns how many were acknowledged.

    Raises:
        ClickstreamError: Not all were acknowledged.
    """
    if key.exists():
        out.print("  They were sent by an earlier demo; nothing was added.")
        return 0
    key.parent.mkdir(parents=True, exist_ok=True)
    options = check_options({"target": target, "seed": SEED}, LiveOptions())
    minutes = DAYS * 24 * 60
    result = run_in_foreground(settings, options, events=LIVE_EVENTS, at_once_minutes=minutes, key=key)
    if result.problem:
        raise ClickstreamError(result.problem, hint="See `make status` and `make logs`, then `make reset`.")
    sent = sum(tally.events for tally in result.sources.values())
    out.print(f"  {sent:,} acknowledged.")
    return sent


def _report(settings: Settings, watch: Stopwatch, outcome: Outcome, live_minutes: float) -> None:
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
    if live_minutes:
        out.print(
            f"The live generator sends about {LEFT_RUNNING['rate_per_second']:.1f} events per second for "
            f"{live_minutes:g} minutes, as many as the days before had; `generator live stop` ends it. "
            "It does not come back after `make down`.",
            markup=False,
        )
    style = "green" if outcome.is_right else "red"
    out.print(outcome.sentence, markup=False, soft_wrap=True, style=style)
    pages = people_addresses(settings)
    print_table("More pages", ("what", "address"), [page for page in pages if page[0] != PANEL_PAGE])
    out.print(sign_in_hint(settings), markup=False, soft_wrap=True)
    out.print(panel_hint(settings), style="bold", markup=False, soft_wrap=True)


def _shown(cell: Any) -> Any:
    return cell if isinstance(cell, int | float) else str(cell)


def main() -> None:
    """Runs the demo; exits with 1 if something failed or a result is wrong."""
    parser = argparse.ArgumentParser(
        prog="python -m stack.demo", description="Send events and prove the marts."
    )
    parser.add_argument(
        "--running", action="store_true", help="do not start the stack; its services are running already"
    )
    parser.add_argument(
        "--live-minutes",
        type=float,
        default=LIVE_MINUTES,
        metavar="MINUTES",
        help="how long the live generator goes on afterwards, 0 for not at all (default: %(default)g)",
    )
    options = parser.parse_args()
    try:
        check_options({"minutes": options.live_minutes}, LiveOptions())
        outcome = run_demo(
            Console(highlight=False), is_running=options.running, live_minutes=options.live_minutes
        )
    except ClickstreamError as error:
        out.print(f"Error: {error}\n{error.hint}", style="red", markup=False)
        sys.exit(1)
    sys.exit(0 if outcome.is_right else 1)


if __name__ == "__main__":
    main()
