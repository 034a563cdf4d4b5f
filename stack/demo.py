"""`make demo`: from nothing to proved marts: start, send events all three ways, process, verify, report.

Run again, it takes the same file, adds nothing and says so.
"""

import argparse
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from clickhouse_connect.driver.client import Client
from rich.console import Console

from clickstream.cli.output import out, print_table
from clickstream.cli.runs import load_file, process_pending, reader
from clickstream.cli.state import ledger_rows
from clickstream.errors import ClickstreamError
from clickstream.settings import PROJECT_ROOT, Settings, get_settings
from clickstream.storage.checks import run_checks
from clickstream.storage.sql import load_sql
from clickstream.verification import compare_with_key, load_key
from generator.csv_writer import write_dataset
from generator.live.control import Status
from generator.live.foreground import run_in_foreground
from generator.live.options import LiveOptions, Target, check_options
from generator.live_cli import call, stop_all
from generator.merge import merge_keys
from generator.plan import DatasetFiles, Plan
from stack.env_file import load_settings
from stack.lifecycle import Stack
from stack.progress import reporting
from stack.services import chosen_services, panel_hint, sign_in_hint

CSV_EVENTS: Final = 170_000
LIVE_EVENTS: Final = 40_000
"""Events over the broker, and as many over HTTP."""

DAYS: Final = 35
SEED: Final = 2025
FILE: Final = PROJECT_ROOT / "data" / "generated" / "demo.csv"
LEFT_RUNNING: Final = {"rate_per_second": 20, "target": "both"}
"""What the live generator goes on with when the demo is over."""

_ARRIVAL_SECONDS: Final = 180.0
_POLL_SECONDS: Final = 0.5


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


def run_demo(console: Console, *, is_running: bool) -> bool:
    """Runs the demo; returns whether everything is as the answer keys say.

    Args:
        console: Where progress is shown.
        is_running: The services run already, as they do in containers; else the stack is started.

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
    expected = _expected_ledger(load_key(key), before)
    with watch.stage("Broker to raw: wait for the last of them"):
        _wait_for_arrival(reader(settings), expected)
    with watch.stage("Process: validate, store, build marts"):
        results = process_pending(settings)
        for result in results:
            out.print(f"  {result['message']}", markup=False)
        watch.events = sum(result["run"]["counts"]["rows_in"] for result in results)
    with watch.stage("Verify"):
        has_more = any(source.received for source in before.sources.values())
        is_right = _verify(settings, expected, None if has_more else key)
    call(settings.generator, "POST", "/start", LEFT_RUNNING)
    _report(settings, watch)
    return is_right


def _stop_live_generator(settings: Settings) -> Status:
    """Stops all live generators; returns what they have ever sent, once all of it is acknowledged.

    Raises:
        ClickstreamError: Something was not acknowledged for a long time.
    """
    status = stop_all(settings.generator)
    deadline = time.monotonic() + _ARRIVAL_SECONDS
    while any(source.unacknowledged for source in status.sources.values()):
        if time.monotonic() > deadline:
            problem = " ".join(source.problem for source in status.sources.values())
            raise ClickstreamError(f"The live generator can't get rid of its events: {problem}")
        time.sleep(_POLL_SECONDS)
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
    # Today is not over yet; what happens on it is sent live.
    until = (datetime.now(UTC) - timedelta(days=1)).date()
    plan = Plan(events=CSV_EVENTS, days=DAYS, seed=SEED, faults=0.01, duplicates=0.02, until=until)
    files.events.parent.mkdir(parents=True, exist_ok=True)
    write_dataset(plan, files, lambda _done: None)
    return CSV_EVENTS


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


def _expected_ledger(key: Mapping[str, Any], live: Status) -> dict[str, dict[str, int]]:
    """What the ledger must show by source: the keys, and what the live generator had acknowledged before."""
    columns = key["ledger"]["columns"]
    ledger = {row[0]: dict(zip(columns[1:], row[1:], strict=True)) for row in key["ledger"]["rows"]}
    for source, account in live.sources.items():
        totals = ledger[source.value]
        totals["received"] += account.received
        totals["stored"] += account.valid
        totals["duplicate"] += account.duplicate
        totals["quarantined"] += account.faulty
    return ledger


def _found_ledger(client: Client) -> dict[str, dict[str, int]]:
    """The ledger over all days."""
    columns, rows = ledger_rows(client)
    totals: dict[str, dict[str, int]] = {}
    for row in rows:
        source = totals.setdefault(row[0], dict.fromkeys(columns[2:], 0))
        for name, value in zip(columns[2:], row[2:], strict=True):
            source[name] += value
    return totals


def _wait_for_arrival(client: Client, expected: Mapping[str, Mapping[str, int]]) -> None:
    """Waits until all that was acknowledged is in `raw_events`.

    Raises:
        ClickstreamError: Something is missing after a long time.
    """
    deadline = time.monotonic() + _ARRIVAL_SECONDS
    while True:
        found = _found_ledger(client)
        missing = {
            source: counts["received"] - found.get(source, {}).get("received", 0)
            for source, counts in expected.items()
        }
        if all(count <= 0 for count in missing.values()):
            return
        if time.monotonic() > deadline:
            raise ClickstreamError(
                f"Acknowledged events have not arrived: {missing}.",
                hint="See `make logs SERVICE=stream_events`.",
            )
        time.sleep(_POLL_SECONDS)


def _verify(settings: Settings, expected: Mapping[str, Mapping[str, int]], key: Path | None) -> bool:
    """Holds the ledger against what was acknowledged, and every view against the key or a recount.

    Args:
        settings: Where the warehouse is.
        expected: The ledger by source.
        key: The key to all events; None where the live generator has sent more, to which there is none.
    """
    client = reader(settings)
    found = _found_ledger(client)
    is_right = True
    for source, counts in expected.items():
        is_equal = all(found.get(source, {}).get(name, 0) == count for name, count in counts.items())
        result = "as acknowledged" if is_equal else f"expected {dict(counts)}, found {found.get(source)}"
        out.print(f"  ledger of {source}: {counts['received']:,} received, {result}", markup=False)
        is_right &= is_equal
    for item in compare_with_key(client, load_key(key)) if key else []:
        result = f"{len(item.differences)} rows differ" if item.differences else "equal"
        out.print(f"  {item.name}: {item.rows:,} rows, {result}", markup=False)
        is_right &= not item.differences
    if key is None:
        out.print("  The live generator has sent events since, so views are held against a recount only.")
    checks = run_checks(client)
    failed = [check.name for check in checks if not check.passed]
    out.print(
        f"  {len(checks)} checks of the warehouse, {len(failed)} failed {' '.join(failed)}", markup=False
    )
    return is_right and not failed


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
    out.print("The live generator keeps sending 20 events per second; stop it with `generator live stop`.")
    out.print(panel_hint(settings), style="bold", markup=False)
    for service in chosen_services(settings):
        out.print(f"{service.name:<12} {service.shown_address(settings)}", markup=False)
    out.print(sign_in_hint(settings), markup=False)


def _shown(cell: Any) -> Any:
    return cell if isinstance(cell, int | float) else str(cell)


def main() -> None:
    """Runs the demo; exits with 1 if something failed or is not as it must be."""
    parser = argparse.ArgumentParser(
        prog="python -m stack.demo", description="Send events and prove the marts."
    )
    parser.add_argument(
        "--running", action="store_true", help="do not start the stack; its services are running already"
    )
    options = parser.parse_args()
    try:
        is_right = run_demo(Console(highlight=False), is_running=options.running)
    except ClickstreamError as error:
        out.print(f"Error: {error}\n{error.hint}", style="red", markup=False)
        sys.exit(1)
    out.print(
        "Every result matches the answer keys." if is_right else "The warehouse differs from the answer keys."
    )
    sys.exit(0 if is_right else 1)


if __name__ == "__main__":
    main()
