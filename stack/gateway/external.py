"""Tables that a client sends along with a query, as files of a form."""

from collections.abc import Mapping, Sequence

from stack.gateway.bodies import FormPart
from stack.gateway.engine import Connection, quote_name
from stack.gateway.errors import Code, StatementError


def create_external_tables(
    connection: Connection, tables: Sequence[FormPart], options: Mapping[str, str]
) -> None:
    """Make each file a temporary table of the connection.

    Args:
        connection: A connection that may make tables.
        tables: The files.
        options: The request's parameters: `<table>_structure` or `<table>_types`, and `<table>_format`.

    Raises:
        StatementError: A table's columns are not described, or its content does not fit them.
    """
    for table in tables:
        structure = options.get(f"{table.name}_structure") or _numbered(
            options.get(f"{table.name}_types", "")
        )
        if not structure:
            raise StatementError(
                Code.BAD_ARGUMENTS,
                f"External table {table.name} has no columns: "
                f"send {table.name}_structure or {table.name}_types",
            )
        name = quote_name(table.name)
        connection.execute(f"CREATE TEMPORARY TABLE {name} ({structure}) ENGINE = Memory", "TSV")
        rows = connection.insert(f"INSERT INTO {name}", options.get(f"{table.name}_format", "TabSeparated"))
        rows.append(table.content)
        rows.finish()


def _numbered(types: str) -> str:
    """Columns `_1`, `_2`, … of a list of types."""
    kept: list[str] = []
    depth = 0
    for piece in types.split(",") if types else []:
        if depth:
            kept[-1] += "," + piece
        else:
            kept.append(piece)
        depth += piece.count("(") - piece.count(")")
    return ", ".join(f"_{number} {kind.strip()}" for number, kind in enumerate(kept, start=1))
