"""`clickstream quarantine`: what was refused, how to fix it, and once more through the ETL."""

import shlex
from collections.abc import Mapping
from datetime import UTC, datetime
from operator import itemgetter
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from clickstream.cli.output import AsJson, err, out, print_json, print_result, print_table
from clickstream.cli.runs import process_origin, reader, run_pipeline
from clickstream.decode import SentEvent, read_record, text_of
from clickstream.errors import BadInputError
from clickstream.etl.quarantine_file import read_fixes, write_quarantine
from clickstream.files import whole_file
from clickstream.loads.history import origin_of
from clickstream.reasons import ErrorCode
from clickstream.settings import get_settings
from clickstream.sources.csv import inspect_csv
from clickstream.storage.quarantine import (
    QuarantineFilter,
    count_quarantined,
    list_quarantined,
    replay_outcome,
    unreplayed,
)
from clickstream.storage.raw import REPLAY_ORIGIN, reached_offset, short_origin

_MOMENT: Final = "%Y-%m-%d %H:%M:%S"
_SHOWN_CHARACTERS: Final = 80

Code = Annotated[ErrorCode | None, typer.Option(help="Only events with this error code.")]
Source = Annotated[
    str | None, typer.Option(help="Only events from this source: csv, http, tracker, broker …")
]


def _parse_moment(text: str) -> datetime:
    """A date or a time by ISO 8601; one without a zone is UTC."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(
            f"{text!r} is not a date or a time. Give one such as 2025-01-31 or 2025-01-31T10:00:00Z."
        ) from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


File = Annotated[Path | None, typer.Option("--file", help="Only lines of this CSV file.", metavar="FILE")]
Origin = Annotated[
    str,
    typer.Option(
        help="Only events read from here: topic/partition, or csv/ and the beginning of a file's hash."
    ),
]
Session = Annotated[str, typer.Option(help="Only events of this session.")]
Line = Annotated[
    int | None,
    typer.Option(
        min=0, metavar="NUMBER", help="Only this line of the --file, or this offset of the --origin."
    ),
]

Since = Annotated[
    datetime | None,
    typer.Option(
        parser=_parse_moment,
        metavar="TIME",
        help="Only events received since then, such as 2025-01-31; UTC unless it names a zone.",
    ),
]

Until = Annotated[
    datetime | None,
    typer.Option(
        parser=_parse_moment,
        metavar="TIME",
        help="Only events received before then, such as 2025-02-01; UTC unless it names a zone.",
    ),
]

app = typer.Typer(no_args_is_help=True, help="List, export and replay refused events.")


@app.command(name="list")
def list_events(
    code: Code = None,
    source: Source = None,
    origin: Origin = "",
    file: File = None,
    session: Session = "",
    line: Line = None,
    since: Since = None,
    until: Until = None,
    limit: Annotated[int, typer.Option(min=1, help="Largest number of events, the latest first.")] = 20,
    replayed: Annotated[bool, typer.Option(help="Include events that were replayed.")] = False,
    as_json: AsJson = False,
) -> None:
    """List refused events and what is wrong with them; `clickstream trace RECORD` shows all of one.

    Examples: clickstream quarantine list --code missing_field --limit 5,
    clickstream quarantine list --origin clickstream.events/0 --session s-77,
    clickstream quarantine list --file events.csv --line 17
    """
    wanted_origin = _origin(origin, file)
    wanted = QuarantineFilter(
        code=code,
        source=source,
        origin=wanted_origin,
        session=session,
        line=_line(line, wanted_origin),
        since=since,
        until=until,
        include_replayed=replayed,
    )
    client = reader(get_settings())
    rows = list_quarantined(client, wanted, limit).to_pylist()
    if as_json:
        print_json([{**row, "session_id": _session_of(row)} for row in rows])
        return
    print_table(
        "Refused events",
        ("received (UTC)", "source", "record", "session", "what is wrong", "value"),
        [_row(row) for row in rows],
        empty="No refused event matches." if wanted != QuarantineFilter() else "Nothing is in quarantine.",
    )
    counts = count_quarantined(client, wanted)
    if counts:
        print_table("By code", ("code", "events"), sorted(counts.items(), key=itemgetter(1), reverse=True))
        chosen = _options(
            {
                "code": code,
                "source": source,
                "origin": origin,
                "file": file,
                "session": session,
                "line": line,
                "since": since and since.isoformat(),
                "until": until and until.isoformat(),
            }
        )
        out.print(
            f"Fix them: clickstream quarantine export --out bad.csv{chosen}, edit it, then "
            "clickstream quarantine replay bad.csv --wait",
            markup=False,
            soft_wrap=True,
        )


def _options(given: Mapping[str, object]) -> str:
    """The options that were given, as they are typed."""
    return "".join(
        f" --{name} {shlex.quote(str(value))}" for name, value in given.items() if value not in (None, "")
    )


def _origin(origin: str, file: Path | None) -> str:
    if file is None:
        return origin
    if origin:
        raise BadInputError("Give --origin or --file, not both.")
    return origin_of(inspect_csv(file).sha256)


def _line(line: int | None, origin: str) -> int | None:
    if line is not None and not origin:
        raise BadInputError(
            "--line needs --file or --origin, since each file and each partition has such a line or offset."
        )
    return line


def _session_of(row: dict[str, Any]) -> str:
    """The session that the body names; empty if none can be read from it."""
    record = read_record(row["body"])
    return text_of(record.session_id) if isinstance(record, SentEvent) and record.session_id else ""


def _row(row: dict[str, Any]) -> tuple[object, ...]:
    record = _shown_record(f"{row['origin']}:{row['offset']}:{row['item']}")
    first = f"\nfirst {_shown_record(row['original'])}" if row["original"] else ""
    replayed = f"\nreplayed {row['replayed_at']:{_MOMENT}}" if row["replayed_at"] else ""
    return (
        f"{row['received_at']:{_MOMENT}}",
        row["source"],
        record + first + replayed,
        _session_of(row)[:_SHOWN_CHARACTERS],
        "\n".join(f"{error['code']}: {error['message']}" for error in row["errors"]),
        "\n".join(error["value"][:_SHOWN_CHARACTERS] for error in row["errors"]),
    )


def _shown_record(name: str) -> str:
    """A record as people see it: short, and without the item if it is the first."""
    origin, offset, item = name.rsplit(":", 2)
    return f"{short_origin(origin)}:{offset}" + (f":{item}" if item != "0" else "")


@app.command()
def export(
    file: Annotated[Path, typer.Option("--out", help="The CSV file to write.")],
    code: Code = None,
    source: Source = None,
    origin: Origin = "",
    from_file: File = None,
    session: Session = "",
    line: Line = None,
    since: Since = None,
    until: Until = None,
    excel: Annotated[
        bool,
        typer.Option(
            "--excel",
            help="For Excel: semicolons, and an apostrophe in front of what Excel would change: numbers of "
            "more than 15 digits or with leading zeros, decimals, dates and times that it recognises, true "
            "and false. `replay` removes it. What begins with = + - @ gets one in any case.",
        ),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Write refused events to a CSV file that can be fixed, safely, in a spreadsheet.

    Edit the cells of the event. Where its text could not be read they are empty: fill them in, or edit
    `body`. If a row has both, the cells count and `body` is ignored; to send an edited `body`, empty the
    cells.

    Examples: clickstream quarantine export --out bad.csv, clickstream quarantine export --out bad.csv --excel
    """
    wanted_origin = _origin(origin, from_file)
    wanted = QuarantineFilter(
        code=code,
        source=source,
        origin=wanted_origin,
        session=session,
        line=_line(line, wanted_origin),
        since=since,
        until=until,
    )
    client = reader(get_settings())
    try:
        with whole_file(file, encoding="utf-8-sig", newline="") as target:
            rows = write_quarantine(target, unreplayed(client, wanted), for_excel=excel)
    except OSError as error:
        raise BadInputError(f"{file} can't be written: {error.strerror}.") from error
    if as_json:
        print_json({"file": str(file), "rows": rows})
    else:
        out.print(f"{rows:,} refused events written to {file}.", markup=False)


@app.command()
def replay(
    file: Annotated[
        Path | None,
        typer.Argument(help="A file of `export` with fixes; without it, events are replayed unchanged."),
    ] = None,
    code: Code = None,
    source: Source = None,
    origin: Origin = "",
    from_file: File = None,
    session: Session = "",
    wait: Annotated[
        bool, typer.Option("--wait", help="Wait until they are processed, and say what became of them.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Send refused events through the pipeline again: those of a fixed file, or all that match.

    Examples: clickstream quarantine replay bad.csv --wait,
    clickstream quarantine replay --code created_at_in_future --file events.csv
    """
    if file is not None:
        read_fixes(file)  # A file that can't be used is said here, before a run is started.
    variables = {
        "code": code.value if code else "",
        "source": source or "",
        "origin": _origin(origin, from_file),
        "session": session,
        "fixed_file": str(file.resolve()) if file else "",
    }
    settings = get_settings()
    client = reader(settings)
    before = reached_offset(client, REPLAY_ORIGIN)
    result = run_pipeline(settings, "replay_quarantine", variables)
    if not as_json:
        print_result(result, as_json=False)
    if wait:
        process_origin(settings, REPLAY_ORIGIN)
        result["outcome"] = replay_outcome(client, before)
    if as_json:
        print_json(result)
    elif wait:
        out.print(_outcome(**result["outcome"]), markup=False)
    else:
        err.print("`clickstream process` shows what becomes of them.")


def _outcome(stored: int, duplicate: int, refused: int) -> str:
    again = (
        " They stay open: `clickstream quarantine list` shows them, also by the file that they came from."
        if refused
        else ""
    )
    return f"Of these, {stored:,} stored, {duplicate:,} duplicate, {refused:,} refused again.{again}"
