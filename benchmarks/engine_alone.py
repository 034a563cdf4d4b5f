"""The baseline: the ClickHouse engine alone does the same with the same file, in a process of its own.

It checks little, knows no duplicate, keeps no coordinate and survives no kill: the least work there is.

    python -m benchmarks.engine_alone load DIRECTORY CSV_FILE
    python -m benchmarks.engine_alone transform DIRECTORY
"""

import sys
import time
from pathlib import Path

import chdb

from clickstream.storage.sql import split_statements


def main(step: str, directory: str, csv_path: str = "") -> None:
    """Runs one step's SQL and prints the seconds that it took, start of the process not counted."""
    connection = chdb.connect(directory)  # type: ignore[no-untyped-call]
    statements = split_statements((Path(__file__).parent / f"{step}.sql").read_text(encoding="utf-8"))
    start = time.perf_counter()
    for statement in statements:
        parameters = {"path": csv_path} if "{path:" in statement else {}
        connection.query(statement, "Null", params=parameters)
    sys.stdout.write(f"{time.perf_counter() - start}\n")
    connection.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
