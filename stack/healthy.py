"""Docker's health check: `python -m stack.healthy SERVICE` fails with the reason unless the service is up.

`stack.container`, which keeps the service, checks it all the time and writes down what it finds; this reads
that. It imports the standard library alone: Docker runs it every few seconds in each container, and with the
project's packages each run would take half a second of a core.
"""

import json
import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

STALE_SECONDS: Final = 30.0
"""A report is renewed every 5 s (`stack.watchdog.WRITE_SECONDS`); an older one means that nobody looks."""


def problem_of(service: str, data: Path) -> str | None:
    """What keeps the service from being up, in words; None if nothing does.

    Args:
        service: Its name.
        data: The data directory, in which its keeper leaves the report.
    """
    try:
        report = json.loads((data / "run" / "health" / f"{service}.json").read_bytes())
    except FileNotFoundError:
        return "has not been checked yet"
    age = (datetime.now(UTC) - datetime.fromisoformat(report["checked_at"])).total_seconds()
    if age > STALE_SECONDS:
        return f"was last checked {age:.0f} s ago"
    known = report["services"][service]
    return None if known["state"] == "up" else f"is {known['state']}: {known['reason']}"


def main(service: str) -> int:
    """Write the reason, if there is one, and give the exit code."""
    problem = problem_of(service, Path(os.environ["CLICKSTREAM_STACK__DATA_DIR"]))
    if problem:
        sys.stderr.write(f"{service} {problem}\n")
    return 1 if problem else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
