"""`generator live`: steer the service, or send events in the foreground."""

import logging
import sys
import time
from pathlib import Path
from typing import Annotated, Any, Final
from urllib.parse import quote

import httpx
import msgspec
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from clickstream.errors import BadInputError, ClickstreamError, ServiceUnavailableError
from clickstream.settings import GeneratorSettings, get_settings
from generator.live.control import Status
from generator.live.fleet import NamedStatus
from generator.live.foreground import RunResult, run_in_foreground
from generator.live.options import DEFAULT_GENERATOR, MAX_MINUTES, LiveOptions, Shape, Target, check_options

_TIMEOUT_SECONDS: Final = 30.0
_DRAIN_SECONDS: Final = 30.0
_POLL_SECONDS: Final = 0.2
_DEFAULTS: Final = LiveOptions()

app = typer.Typer(no_args_is_help=True, help="Send events as they happen, over HTTP or through the broker.")

Rate = Annotated[float, typer.Option(help="Events per second, 0.1 to 5000, averaged over the shape.")]
ShapeOption = Annotated[Shape, typer.Option(help="How the rate changes over time.")]
Faults = Annotated[float, typer.Option(help="Percent of the events that are broken.")]
Duplicates = Annotated[float, typer.Option(help="Percent of the events that repeat a valid one.")]
TargetOption = Annotated[Target, typer.Option(help="Where events go.")]
Seed = Annotated[int, typer.Option(help="Determines who visits and what they do.")]
NewName = Annotated[str, typer.Option(help="Name of the generator; a new name makes another generator.")]
Name = Annotated[str, typer.Option(help="Name of the generator; `generator live list` shows all.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON and nothing else.")]


@app.command()
def start(
    *,
    rate: Rate = _DEFAULTS.rate_per_second,
    shape: ShapeOption = _DEFAULTS.shape,
    faults: Faults = _DEFAULTS.faults_percent,
    duplicates: Duplicates = _DEFAULTS.duplicates_percent,
    target: TargetOption = _DEFAULTS.target,
    seed: Seed = _DEFAULTS.seed,
    minutes: Annotated[
        float, typer.Option(min=0, max=MAX_MINUTES, help="Stop after this many minutes; 0 means never.")
    ] = _DEFAULTS.minutes,
    name: NewName = DEFAULT_GENERATOR,
    as_json: AsJson = False,
) -> None:
    """Start a generator in the service; it runs until it is stopped or its time is over.

    Example: generator live start --rate 50 --target both --minutes 60
    """
    options = make_options(rate, shape, faults, duplicates, target, seed)
    options = check_options({"minutes": minutes}, options)
    path = _path_of(name, "/start")
    _print_status(call(get_settings().generator, "POST", path, options), as_json=as_json)


@app.command()
def stop(
    *,
    name: Name = DEFAULT_GENERATOR,
    every: Annotated[bool, typer.Option("--all", help="Stop every generator.")] = False,
    as_json: AsJson = False,
) -> None:
    """Stop a generator and wait until all its events are acknowledged.

    Example: generator live stop --all
    """
    settings = get_settings().generator
    status = stop_all(settings) if every else call(settings, "POST", _path_of(name, "/stop"))
    deadline = time.monotonic() + _DRAIN_SECONDS
    while _under_way(status) and time.monotonic() < deadline:
        time.sleep(_POLL_SECONDS)
        status = call(settings, "GET", "/status")
    _print_status(status, as_json=as_json)
    if _under_way(status):
        raise ClickstreamError(
            f"{_under_way(status):,} events are not acknowledged yet.",
            hint="The service goes on sending them; `generator live status` tells what is in the way.",
        )


@app.command()
def status(as_json: AsJson = False) -> None:
    """Show what a generator of the service sends, and what was acknowledged.

    Example: generator live status --json
    """
    _print_status(call(get_settings().generator, "GET", "/status"), as_json=as_json)


@app.command("list")
def show_list(as_json: AsJson = False) -> None:
    """List the generators of the service.

    Example: generator live list
    """
    generators = list_generators(get_settings().generator)
    if as_json:
        _print_json(generators)
        return
    for one in generators:
        typer.echo(f"[{one.name}]")
        _print_status(one.status, as_json=False)


@app.command()
def remove(name: Annotated[str, typer.Argument(help="A generator that is at rest.")]) -> None:
    """Remove a generator that is stopped; its events stay in the totals.

    Example: generator live remove night
    """
    remove_generator(get_settings().generator, name)
    typer.echo(f"The generator {name} is removed.")


@app.command()
def rate(
    events_per_second: Annotated[float, typer.Argument(help="Events per second, 0.1 to 5000.")],
    *,
    name: Name = DEFAULT_GENERATOR,
    as_json: AsJson = False,
) -> None:
    """Change the rate of a running generator.

    Example: generator live rate 100
    """
    checked = check_options({"rate_per_second": events_per_second}, _DEFAULTS)
    body = {"rate_per_second": checked.rate_per_second}
    _print_status(call(get_settings().generator, "POST", _path_of(name, "/rate"), body), as_json=as_json)


@app.command()
def run(
    *,
    events: Annotated[
        int | None, typer.Option(min=1, help="Number of events; without it, until Ctrl-C.")
    ] = None,
    rate: Annotated[
        float | None,
        typer.Option(
            help="Events per second, 0.1 to 5000.", show_default="with --events, as fast as possible"
        ),
    ] = None,
    minutes: Annotated[
        float,
        typer.Option(min=1, max=1440, help="Without --rate, spread the events over this many past minutes."),
    ] = 60.0,
    shape: ShapeOption = _DEFAULTS.shape,
    faults: Faults = _DEFAULTS.faults_percent,
    duplicates: Duplicates = _DEFAULTS.duplicates_percent,
    target: TargetOption = _DEFAULTS.target,
    seed: Seed = _DEFAULTS.seed,
    key: Annotated[
        Path | None, typer.Option(help="Write the answer key of the acknowledged events to this file.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Send events in the foreground, without the service.

    Example: generator live run --events 1000 --key live.key.json
    """
    # It tells of every try; what matters of that, the senders say.
    logging.getLogger("kafka").setLevel(logging.CRITICAL)
    is_at_once = events is not None and rate is None
    asked_rate = _DEFAULTS.rate_per_second if rate is None else rate
    options = make_options(asked_rate, shape, faults, duplicates, target, seed)
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        task = progress.add_task("acknowledged", total=events)

        def show(acknowledged: int, problem: str) -> None:
            progress.update(task, completed=acknowledged, description=problem[:60] or "acknowledged")

        result = run_in_foreground(
            get_settings(),
            options,
            events=events,
            at_once_minutes=minutes if is_at_once else None,
            key=key,
            on_progress=show,
        )
    _print_result(result, as_json=as_json)
    if result.problem:
        raise ClickstreamError(result.problem)


def make_options(
    rate: float, shape: Shape, faults: float, duplicates: float, target: Target, seed: int
) -> LiveOptions:
    """Options of the command line.

    Raises:
        BadOptionsError: One is out of bounds.
    """
    given = {
        "rate_per_second": rate,
        "shape": shape,
        "faults_percent": faults,
        "duplicates_percent": duplicates,
        "target": target,
        "seed": seed,
    }
    return check_options(given, _DEFAULTS)


def call(settings: GeneratorSettings, method: str, path: str, body: Any = None) -> Status:
    """Ask the service to change or show a generator; gives its status after that.

    Raises:
        BadInputError: It refuses the options.
        ClickstreamError: It refuses for another reason.
        ServiceUnavailableError: It doesn't answer.
    """
    return msgspec.json.decode(_ask(settings, method, path, body), type=Status)


def list_generators(
    settings: GeneratorSettings, timeout_seconds: float = _TIMEOUT_SECONDS
) -> list[NamedStatus]:
    """How each generator of the service stands.

    Raises:
        ServiceUnavailableError: It doesn't answer.
    """
    answer = _ask(settings, "GET", "/generators", timeout_seconds=timeout_seconds)
    return msgspec.json.decode(answer, type=list[NamedStatus])


def remove_generator(settings: GeneratorSettings, name: str) -> None:
    """Let the service forget a generator that is at rest.

    Raises:
        ClickstreamError: It refuses.
        ServiceUnavailableError: It doesn't answer.
    """
    _ask(settings, "DELETE", f"/generators/{name}", {})


def stop_all(settings: GeneratorSettings) -> Status:
    """Stop every generator of the service; gives what all of them have sent.

    Raises:
        ServiceUnavailableError: It doesn't answer.
    """
    for one in list_generators(settings):
        call(settings, "POST", f"/generators/{one.name}/stop", {})
    return call(settings, "GET", "/status")


def _ask(
    settings: GeneratorSettings,
    method: str,
    path: str,
    body: Any = None,
    *,
    timeout_seconds: float = _TIMEOUT_SECONDS,
) -> bytes:
    url = f"http://{settings.host}:{settings.port}{path}"
    content = b"" if body is None else msgspec.json.encode(body)
    headers = {"content-type": "application/json"}
    try:
        with httpx.Client(trust_env=False, timeout=timeout_seconds) as client:
            answer = client.request(method, url, content=content, headers=headers)
    except httpx.HTTPError as error:
        raise ServiceUnavailableError(
            f"The generator at {url} does not answer: {error}", hint="`make up` starts it."
        ) from error
    if answer.is_success:
        return answer.content
    try:
        refusal = answer.json()
        message = " ".join(item["message"] for item in refusal["errors"])
    except (ValueError, LookupError, TypeError):
        raise ClickstreamError(f"The generator answers {answer.status_code}: {answer.text[:200]}") from None
    kind = BadInputError if answer.status_code == httpx.codes.BAD_REQUEST else ClickstreamError
    raise kind(message, hint=refusal.get("hint", ""))


def _path_of(name: str, path: str) -> str:
    """The path for a generator; without a name, the answer counts what all of them have sent."""
    return path if name == DEFAULT_GENERATOR else f"/generators/{quote(name, safe='')}{path}"


def _under_way(status: Status) -> int:
    return sum(source.unacknowledged for source in status.sources.values())


def _print_status(status: Status, *, as_json: bool) -> None:
    if as_json:
        _print_json(status)
        return
    options = status.options
    is_timed = status.state == "running" and options.ends_at is not None
    until = f"; ends at {options.ends_at:%Y-%m-%d %H:%M} UTC" if is_timed else ""
    typer.echo(
        f"{status.state}: {options.rate_per_second:g} events/s ({options.shape}) to {options.target}, "
        f"{options.faults_percent:g} % faults, {options.duplicates_percent:g} % duplicates, "
        f"seed {options.seed}; {status.acknowledged_per_second:g} acknowledged/s{until}"
    )
    for source, counts in status.sources.items():
        typer.echo(
            f"{source:<7}{counts.received:>12,} received{counts.valid:>12,} valid"
            f"{counts.duplicate:>10,} duplicate{counts.faulty:>10,} faulty"
            f"{counts.unacknowledged:>8,} under way  {counts.problem}"
        )


def _print_result(result: RunResult, *, as_json: bool) -> None:
    if as_json:
        _print_json(result)
        return
    for source, tally in result.sources.items():
        typer.echo(
            f"{source}: {tally.events:,} acknowledged in {result.seconds:.1f} s "
            f"({tally.events / result.seconds:,.0f}/s): {tally.valid:,} valid, "
            f"{tally.duplicate:,} duplicates, {tally.faulty:,} faults"
        )
    if result.key:
        typer.echo(f"key    {result.key}")


def _print_json(value: Any) -> None:
    sys.stdout.write(msgspec.json.format(msgspec.json.encode(value), indent=2).decode() + "\n")
