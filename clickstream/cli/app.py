"""The command `clickstream`: load, process, verify and look at events without a browser.

Exit codes: 0 done, 1 failed or a check did not pass, 2 the arguments or a file can't be used.
"""

import sys
from pathlib import Path
from typing import Annotated

import typer
from clickhouse_connect.driver.exceptions import ClickHouseError, OperationalError
from pydantic import ValidationError

from clickstream.cli import keys, loads, privacy, quarantine
from clickstream.cli.output import AsJson, err, out, print_json, print_result, print_table
from clickstream.cli.queries import print_query
from clickstream.cli.runs import process_pending, reader, run_pipeline
from clickstream.cli.state import ledger_rows, print_status
from clickstream.cli.trace import trace
from clickstream.errors import BadInputError, ClickstreamError
from clickstream.etl.rebuild import parse_days
from clickstream.etl.upgrade import upgrade_warehouse
from clickstream.settings import Settings, get_settings
from clickstream.storage.checks import run_checks
from clickstream.verification import compare_with_key, load_key

_SHOWN_DIFFERENCES = 5

app = typer.Typer(no_args_is_help=True, add_completion=False, help="Load, process, verify and query events.")
app.add_typer(quarantine.app, name="quarantine")
app.command()(loads.load)
app.command(name="loads")(loads.list_loads)
app.command()(trace)
app.add_typer(keys.app, name="key")
app.command()(privacy.erase)
app.command()(privacy.erasures)
app.command(name="export-user")(privacy.export)


@app.command()
def process(as_json: AsJson = False) -> None:
    """Process received events now instead of at the next minute: validate, store, build marts.

    Example: clickstream process
    """
    results = process_pending(get_settings())
    if as_json:
        print_json(results)
        return
    for result in results:
        print_result(result, as_json=False)


@app.command()
def rebuild(
    from_date: Annotated[
        str, typer.Option("--from", help="First day, such as 2025-01-31; without it, the first of all.")
    ] = "",
    to_date: Annotated[str, typer.Option("--to", help="Last day; without it, the last of all.")] = "",
    as_json: AsJson = False,
) -> None:
    """Rebuild the marts of some days, or of all days.

    Example: clickstream rebuild --from 2025-01-01 --to 2025-01-31
    """
    parse_days(from_date, to_date)
    result = run_pipeline(get_settings(), "rebuild_marts", {"from_date": from_date, "to_date": to_date})
    print_result(result, as_json=as_json)


@app.command()
def verify(
    key: Annotated[
        Path | None, typer.Option(help="Also compare every view with this answer key of the generator.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Run the checks of the warehouse and compare it with an answer key; exit with 1 if one fails.

    Example: clickstream verify --key data/sample_events.key.json
    """
    answers = load_key(key) if key else None
    client = reader(get_settings())
    checks = run_checks(client)
    comparisons = compare_with_key(client, answers) if answers else []
    is_right = all(check.passed for check in checks) and not any(item.differences for item in comparisons)
    if as_json:
        print_json({"is_right": is_right, "checks": checks, "comparisons": comparisons})
    else:
        rows: list[tuple[object, ...]] = [
            (f"check {check.name}", "", "passed" if check.passed else f"{len(check.rows)} rows violate it")
            for check in checks
        ]
        rows += [
            (item.name, item.rows, f"{len(item.differences)} differ" if item.differences else "equal")
            for item in comparisons
        ]
        print_table("Verification", ("what", "rows", "result"), rows)
        for item in comparisons:
            for difference in item.differences[:_SHOWN_DIFFERENCES]:
                about = ", ".join(f"{name} {value}" for name, value in difference.row.items())
                out.print(f"{item.name}: {about}", markup=False)
                out.print(f"  expected {difference.expected}\n  found    {difference.found}", markup=False)
    if not is_right:
        raise typer.Exit(1)


@app.command()
def ledger(as_json: AsJson = False) -> None:
    """Show what became of the received events, by source and day; exit with 1 if it does not balance.

    Example: clickstream ledger
    """
    columns, rows = ledger_rows(reader(get_settings()))
    if as_json:
        print_json([dict(zip(columns, row, strict=True)) for row in rows])
    else:
        print_table(
            "Ledger: received = stored + duplicate + quarantined + pending + erased",
            columns,
            rows,
            empty="Nothing was received yet. Load a file: clickstream load data/sample_events.csv",
        )
    if any(row[-1] != 0 for row in rows):
        raise typer.Exit(1)


@app.command()
def sql(
    statement: Annotated[str, typer.Argument(help="A SELECT statement; writing is not allowed.")],
    as_json: AsJson = False,
) -> None:
    """Query ClickHouse. In a pipe, the result is tab-separated.

    Example: clickstream sql 'select date, dau from daily_active_users'
    """
    print_query(reader(get_settings()), statement, as_json=as_json)


@app.command()
def status(as_json: AsJson = False) -> None:
    """Show how many events are stored and waiting, and the last runs of the pipelines.

    Example: clickstream status --json
    """
    print_status(get_settings(), as_json=as_json)


@app.command()
def migrate(as_json: AsJson = False) -> None:
    """Bring the tables and views of the warehouse up to date, as `make up` does.

    Example: clickstream migrate
    """
    settings = get_settings()
    applied = upgrade_warehouse(settings)
    if as_json:
        print_json(applied)
    else:
        out.print(f"Applied {', '.join(applied)}." if applied else "The warehouse is up to date.")


def main() -> None:
    """Runs the command, and says what went wrong in words and by the exit code."""
    try:
        app()
    except ClickstreamError as error:
        err.print(f"Error: {error}", style="red", markup=False)
        if error.hint:
            err.print(error.hint, markup=False)
        sys.exit(2 if isinstance(error, BadInputError) else 1)
    except OperationalError:
        err.print("Error: ClickHouse has stopped answering.", style="red", markup=False)
        err.print("`make status` shows how it is; then try again.", markup=False)
        sys.exit(1)
    except ClickHouseError as error:
        err.print(f"Error: ClickHouse refused: {error}", style="red", markup=False)
        sys.exit(1)
    except ValidationError as error:
        if error.title != Settings.__name__:
            raise
        names = ", ".join(".".join(map(str, problem["loc"])) for problem in error.errors())
        err.print(f"Error: Settings are missing or wrong: {names}.", style="red", markup=False)
        err.print("`make up` makes a .env with all that is needed.", markup=False)
        sys.exit(1)
    except KeyboardInterrupt:
        err.print("Interrupted; what was started in Mage goes on.")
        sys.exit(130)


if __name__ == "__main__":
    main()
