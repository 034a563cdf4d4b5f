"""`python -m stack`: what `make up`, `down`, `status`, `logs` and `reset` call."""

import dataclasses
import json
import os
import signal
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from clickstream.errors import ClickstreamError
from clickstream.logs import for_people
from clickstream.settings import Settings, env_file
from generator.live_cli import list_generators
from stack.env_file import ensure_env_file, load_settings, render_env_file, unknown_settings
from stack.gateway.confinement import missing_walls
from stack.lifecycle import ServiceStartError, Stack, started_otherwise
from stack.log_files import follow, last_lines
from stack.progress import LineReporter, reporting
from stack.services import UnknownServiceError, chosen_services, panel_hint, sign_in_hint
from stack.status import SUPERVISOR, ServiceState, ServiceStatus, stack_status
from stack.supervision import WATCHDOG

app = typer.Typer(
    no_args_is_help=True, add_completion=False, help="Start, stop and inspect the stack without Docker."
)
# Without a terminal there is no width to fit into, and lines must not break.
console = Console(highlight=False, width=None if sys.stdout.isatty() else 200)
problems = Console(stderr=True, highlight=False)

DECLINED = 3
"""The exit code of `uninstall` if the answer is no."""

STATE_COLOURS = {ServiceState.UP: "green", ServiceState.STOPPED: "dim", ServiceState.STARTING: "yellow"}


@app.command()
def up() -> None:
    """Start the stack and wait until every service is healthy.

    Example: make up
    """
    is_first_start = not env_file().exists()
    settings = load_settings()
    if is_first_start:
        _say(f"Made {env_file()} with fresh passwords; only you can read it.")
    with reporting(console, [service.name for service in chosen_services(settings)]) as reporter:
        stack = Stack(settings, reporter)
        result = stack.up()
    if not result.started:
        _say("Everything is up already; nothing was changed.")
    if hint := panel_hint(settings):
        _say(hint)
    _print_status(stack_status(stack))
    _say_missing_walls()
    _say_unknown_settings()
    _say_interrupted_generators(settings)
    _say(sign_in_hint(settings))


@app.command()
def down() -> None:
    """Stop the stack; the data stay.

    Example: make down
    """
    settings = load_settings()
    with reporting(console, [service.name for service in chosen_services(settings)]) as reporter:
        was_up = Stack(settings, reporter).down()
    _say("Everything is stopped; the data stay." if was_up else "Nothing was running.")


@app.command()
def status(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON and nothing else.")] = False,
    check: Annotated[bool, typer.Option("--check", help="Exit with 1 unless every service is up.")] = False,
) -> None:
    """Show each service: state, address, memory, since when.

    Examples: make status, python -m stack status --json
    """
    stack = Stack(load_settings())
    rows = stack_status(stack)
    if as_json:
        sys.stdout.write(
            json.dumps([dataclasses.asdict(row) for row in rows], default=datetime.isoformat) + "\n"
        )
    else:
        _print_status(rows)
        _say_missing_walls()
        _say_unknown_settings()
        if changes := stack.address_changes():
            _say(f"{started_otherwise(changes)} `make up` restarts it with the new ones.")
    if check and any(row.state != ServiceState.UP for row in rows):
        raise typer.Exit(1)


@app.command()
def logs(
    service: Annotated[str | None, typer.Argument(help="The service; without it, all services.")] = None,
    followed: Annotated[bool, typer.Option("--follow", "-f", help="Keep printing new lines.")] = False,
    lines: Annotated[int, typer.Option("--lines", "-n", min=0, help="Number of lines per service.")] = 50,
) -> None:
    """Show the last log lines.

    Example: make logs SERVICE=api FOLLOW=1
    """
    stack = Stack(load_settings())
    names = [*(one.name for one in stack.services), SUPERVISOR, WATCHDOG]
    if service and service not in names:
        raise UnknownServiceError(f"There is no log of {service!r}; there are those of {', '.join(names)}.")
    paths = {name: stack.paths.log_of(name) for name in ([service] if service else names)}
    width = max(map(len, paths))
    if not followed and not any(path.exists() for path in paths.values()):
        _say("There are no logs yet: the stack has not been started. Start it with make up.")
    for name, path in paths.items():
        for line in last_lines(path, lines):
            _print_log_line(name, line, width)
    if followed:
        for name, line in follow(paths):
            _print_log_line(name, line, width)


@app.command()
def reset(
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask for confirmation.")] = False,
) -> None:
    """Stop the stack and delete its data; asks first.

    Example: make reset YES=1
    """
    settings = load_settings()
    data = settings.stack.data_path
    if not data.exists():
        _say(f"There are no data: {data} does not exist.")
        return
    if not yes and not typer.confirm(f"Stop the stack and delete all its data in {data}?"):
        _say("Nothing was changed.")
        return
    with reporting(console, [service.name for service in chosen_services(settings)]) as reporter:
        Stack(settings, reporter).delete_data()
    _say(f"Deleted {data}; {env_file()} stays.")


@app.command()
def secrets() -> None:
    """Make the settings file with fresh secrets, or add those that it lacks; starts nothing.

    Example: python -m stack secrets
    """
    path = env_file()
    change = ensure_env_file(path)
    _own_as(path, path.parent)
    if change.created:
        _say(f"Made {path} with {len(change.added)} fresh secrets; only its owner can read it.")
    elif change.added:
        _say(f"Added to {path}: {', '.join(change.added)}.")
    else:
        _say(f"{path} has every secret; nothing was changed.")


def _own_as(path: Path, directory: Path) -> None:
    """Give a file to the owner of a directory: in a container, root works on somebody's checkout."""
    owner = directory.stat()
    if os.getuid() == 0 and path.stat().st_uid != owner.st_uid:
        os.chown(path, owner.st_uid, owner.st_gid)


@app.command()
def uninstall(
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask for confirmation.")] = False,
) -> None:
    """Stop the stack and delete its data and its settings; `make uninstall` deletes the programs as well.

    If the answer is no, it exits with 3, so that `make uninstall` deletes nothing either.

    Example: make uninstall YES=1
    """
    settings = load_settings()
    data = settings.stack.data_path
    question = f"Stop the stack and delete its data in {data}, {env_file()} and what `make setup` installed?"
    if not yes and not typer.confirm(question):
        _say("Nothing was changed.")
        raise typer.Exit(DECLINED)
    with reporting(console, [service.name for service in chosen_services(settings)]) as reporter:
        Stack(settings, reporter).delete_data()
    env_file().unlink(missing_ok=True)
    _say(f"Deleted {data} and {env_file()}.")


@app.command(hidden=True)
def revive() -> None:
    """Start the supervisor and the services again; the watchdog calls it when the supervisor has died."""
    settings = load_settings()
    Stack(settings, LineReporter(console, [service.name for service in chosen_services(settings)])).revive()


@app.command("env-example", hidden=True)
def env_example() -> None:
    """Print .env.example as the settings' model has it."""
    sys.stdout.write(render_env_file())


def main() -> None:
    """Run the command line; failures that a person can act on are told without a traceback."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        # As an exception, so that what was begun is cleaned up.
        signal.signal(number, lambda received, _frame: sys.exit(128 + received))
    try:
        app()
    except ServiceStartError as error:
        problems.print(f"\nThe last lines of {error.service}'s log:", style="bold")
        for line in error.log_lines or ("(it is empty)",):
            problems.print(f"  {for_people(line)}", markup=False, soft_wrap=True)
        _fail(error)
    except ClickstreamError as error:
        _fail(error)


def _fail(error: ClickstreamError) -> None:
    problems.print(Text.assemble(("Error: ", "bold red"), str(error)), soft_wrap=True)
    if error.hint:
        problems.print(error.hint, markup=False, soft_wrap=True)
    sys.exit(1)


def _say_missing_walls() -> None:
    """Say what this machine's kernel can't confine; see SECURITY.md."""
    if problem := missing_walls():
        _say(f"{problem} See SECURITY.md.")


def _say_unknown_settings() -> None:
    """Say which lines of the settings file have no effect, such as one with a spelling mistake."""
    for name, meant in unknown_settings(env_file()).items():
        hint = f" Do you mean {meant}?" if meant else ""
        _say(f"{env_file()} sets {name}, which is not a setting, so it has no effect.{hint}")


def _say_interrupted_generators(settings: Settings) -> None:
    """Say which live generators ended with the stack and stay stopped, such as the demo's."""
    try:
        generators = list_generators(settings.generator)
    except ClickstreamError:
        return  # It is not among the services of this stack.
    for generator in generators:
        if generator.status.was_interrupted(datetime.now(UTC)):
            rate = generator.status.options.rate_per_second
            _say(
                f"The live generator {generator.name} was stopped with the stack and stays stopped; "
                f"`generator live start --name {generator.name} --rate {rate:.1f}` starts it again."
            )


def _say(message: str) -> None:
    console.print(message, markup=False, soft_wrap=True)


def _print_log_line(name: str, line: str, width: int) -> None:
    console.print(Text.assemble((f"{name:<{width}} | ", "cyan"), for_people(line)), soft_wrap=True)


def _print_status(rows: Sequence[ServiceStatus]) -> None:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("service", "state", "address", "memory", "since", "restarts"):
        is_number = heading in ("memory", "restarts")
        table.add_column(heading, justify="right" if is_number else "left", overflow="fold")
    for row in rows:
        state = Text(row.state, style=STATE_COLOURS.get(row.state, "red"))
        if row.detail:
            state.append(f": {row.detail}", style="default")
        memory = f"{row.memory_bytes / 2**20:,.0f} MiB" if row.pid else ""
        table.add_row(row.name, state, row.address, memory, _since(row.since), str(row.restarts or ""))
    total = sum(row.memory_bytes for row in rows)
    if total:
        table.add_row("", "", "", f"{total / 2**20:,.0f} MiB", "", "")
    console.print(table)
    for row in rows:
        if row.last_failure_at is not None:
            _say(f"{row.name} last failed at {_since(row.last_failure_at)}: {row.last_failure_reason}.")


def _since(moment: datetime | None) -> str:
    """The moment in local time, and how long ago that was."""
    if moment is None:
        return ""
    seconds = int((datetime.now(UTC) - moment).total_seconds())
    days, hours, minutes = seconds // 86400, seconds // 3600 % 24, seconds // 60 % 60
    ago = f"{days} d {hours} h" if days else f"{hours} h {minutes} min" if hours else f"{minutes} min"
    return f"{moment.astimezone():%Y-%m-%d %H:%M:%S} ({ago if seconds >= 60 else f'{seconds} s'})"
