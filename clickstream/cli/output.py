"""How commands speak: results on standard output, all else on standard error."""

import logging
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Annotated, Any, Final

import msgspec
import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from clickstream.cli.printable import printable, printable_json

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON on standard output, and nothing else.")]

_WIDTH_OF_A_PIPE: Final = 200


class _SafeConsole(Console):
    """Shows texts without what would steer the terminal; cells of tables are made safe by `_cell`."""

    def print(self, *objects: Any, **options: Any) -> None:
        """Print texts and tables."""
        super().print(*(printable(one) if isinstance(one, str) else one for one in objects), **options)


out: Final = _SafeConsole(highlight=False, width=None if sys.stdout.isatty() else _WIDTH_OF_A_PIPE)
err: Final = _SafeConsole(
    stderr=True, highlight=False, width=None if sys.stderr.isatty() else _WIDTH_OF_A_PIPE
)

# Python prints what no handler takes; the driver logs what it raises, which `main` says in words.
logging.getLogger("clickhouse_connect").addHandler(logging.NullHandler())


def print_json(value: Any) -> None:
    """Prints a value as JSON: NaN as null, times by RFC 3339, and what JSON does not know as its text."""
    text = msgspec.json.format(msgspec.json.encode(value, enc_hook=str), indent=2)
    sys.stdout.write(printable_json(text.decode()) + "\n")


def print_table(
    title: str, columns: Sequence[str], rows: Sequence[Sequence[object]], *, empty: str = "Nothing."
) -> None:
    """Prints rows as a table, numbers to the right; or, without rows, what to do next."""
    if not rows:
        out.print(empty, markup=False)
        return
    table = Table(title=printable(title), title_justify="left", title_style="bold", header_style="bold")
    for place, column in enumerate(columns):
        is_number = all(isinstance(row[place], int | float) or row[place] is None for row in rows)
        table.add_column(_cell(column), justify="right" if is_number else "left", overflow="fold")
    for row in rows:
        table.add_row(*(_cell(value) for value in row))
    out.print(table)


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return printable(str(value)).replace("[", "\\[")
    return f"{value:,}" if isinstance(value, int) else f"{value:,.2f}"


@contextmanager
def progress_bar() -> Iterator[Progress]:
    """A progress bar on standard error; silent if that is not a terminal."""
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[detail]}"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=err, transient=True, disable=not err.is_terminal) as progress:
        yield progress


def print_result(result: Mapping[str, Any], *, as_json: bool) -> None:
    """Prints what a run did: its sentence, or everything as JSON."""
    if as_json:
        print_json(result)
    else:
        out.print(str(result["message"]), markup=False)
