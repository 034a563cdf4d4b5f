"""Free questions to ClickHouse."""

import sys

from clickhouse_connect.driver.client import Client

from clickstream.cli.output import err, out, print_json, print_table

_MAX_ROWS_ON_SCREEN = 500
_TAB_SEPARATED = {"X-ClickHouse-Format": "TabSeparatedWithNames"}
"""What the server takes unless the statement names a format itself."""


def print_query(client: Client, statement: str, *, as_json: bool) -> None:
    """Prints the answer: as a table on a terminal, tab-separated with a header in a pipe, or as JSON."""
    if not out.is_terminal and not as_json:
        with client.raw_stream(statement, transport_settings=_TAB_SEPARATED) as stream:
            for chunk in stream:
                sys.stdout.buffer.write(chunk)
        return
    result = client.query(statement)
    if as_json:
        print_json(list(result.named_results()))
        return
    rows = result.result_rows[:_MAX_ROWS_ON_SCREEN]
    print_table("", result.column_names, rows, empty="No rows.")
    if len(result.result_rows) > len(rows):
        err.print(f"{len(rows)} of {len(result.result_rows):,} rows; send the output into a file for all.")
