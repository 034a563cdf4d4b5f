"""`clickstream quarantine`: what was refused, how to fix it, and once more through the ETL."""

from datetime import UTC, datetime
from operator import itemgetter
from pathlib import Path
from typing import Annotated

import typer

from clickstream.cli.output import AsJson, err, out, print_json, print_result, print_table
from clickstream.cli.runs import reader, run_pipeline
from clickstream.errors import BadInputError
from clickstream.etl.quarantine_file import read_fixes, write_quarantine
from clickstream.files import whole_file
from clickstream.reasons import ErrorCode
from clickstream.settings import get_settings
from clickstream.storage.quarantine import QuarantineFilter, count_quarantined, list_quarantined, unreplayed

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


Since = Annotated[
    datetime | None,
    typer.Option(
        parser=_parse_moment,
        metavar="TIME",
        help="Only events received since then, such as 2025-01-31; UTC unless it names a zone.",
    ),
]

app = typer.Typer(no_args_is_help=True, help="List, export and replay refused events.")


@app.command(name="list")
def list_events(
    code: Code = None,
    source: Source = None,
    since: Since = None,
    limit: Annotated[int, typer.Option(min=1, help="Largest number of events, the latest first.")] = 20,
    replayed: Annotated[bool, typer.Option(help="Include events that were replayed.")] = False,
    as_json: AsJson = False,
) -> None:
    """List refused events and what is wrong with them.

    Example: clickstream quarantine list --code missing_field --limit 5
    """
    wanted = QuarantineFilter(code=code, source=source, since=since, include_replayed=replayed)
    client = reader(get_settings())
    rows = list_quarantined(client, wanted, limit).to_pylist()
    if as_json:
        print_json(rows)
        return
    print_table(
        "Refused events",
        ("source", "line or offset", "what is wrong", "value"),
        [
            (
                row["source"],
                row["offset"] if not row["item"] else f"{row['offset']}:{row['item']}",
                "\n".join(f"{error['code']}: {error['message']}" for error in row["errors"]),
                "\n".join(error["value"][:80] for error in row["errors"]),
            )
            for row in rows
        ],
        empty="Nothing is in quarantine.",
    )
    counts = count_quarantined(client, wanted)
    if counts:
        print_table("By code", ("code", "events"), sorted(counts.items(), key=itemgetter(1), reverse=True))
        out.print(
            "Fix them: clickstream quarantine export --out bad.csv, edit it, then quarantine replay bad.csv"
        )


@app.command()
def export(
    file: Annotated[Path, typer.Option("--out", help="The CSV file to write.")],
    code: Code = None,
    source: Source = None,
    since: Since = None,
    as_json: AsJson = False,
) -> None:
    """Write refused events to a CSV file that can be fixed, safely, in a spreadsheet.

    Example: clickstream quarantine export --out bad.csv
    """
    wanted = QuarantineFilter(code=code, source=source, since=since)
    client = reader(get_settings())
    try:
        with whole_file(file, encoding="utf-8-sig", newline="") as target:
            rows = write_quarantine(target, unreplayed(client, wanted))
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
    as_json: AsJson = False,
) -> None:
    """Send refused events through the pipeline again: those of a fixed file, or all that match.

    Example: clickstream quarantine replay bad.csv
    """
    if file is not None:
        read_fixes(file)  # A file that can't be used is said here, before a run is started.
    variables = {
        "code": code.value if code else "",
        "source": source or "",
        "fixed_file": str(file.resolve()) if file else "",
    }
    print_result(run_pipeline(get_settings(), "replay_quarantine", variables), as_json=as_json)
    if not as_json:
        err.print("`clickstream process` shows what becomes of them.")
