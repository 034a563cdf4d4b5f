"""How the data stand: the ledger, what is waiting, what the pipelines did."""

from dataclasses import asdict, replace
from datetime import UTC, datetime
from typing import Any, Final

from clickhouse_connect.driver.client import Client

from clickstream.cli.output import out, print_json, print_table
from clickstream.etl.journal import died
from clickstream.etl.run_marks import is_worked_on
from clickstream.settings import Settings
from clickstream.storage.client import Role, connect
from clickstream.storage.runs import RunRecord, RunStatus, last_runs
from clickstream.storage.views import read_view

_COUNTS: Final = ("received", "stored", "duplicate", "quarantined", "pending", "erased")
_SHOWN_RUNS: Final = 10


def ledger_rows(client: Client) -> tuple[list[str], list[list[Any]]]:
    """The ledger by source and day, oldest day first, with what is left over as `unaccounted` at the end.

    `open` are the quarantined events that nobody has sent again; they are not part of the sum.
    """
    table = read_view(client, "ledger")
    rows = sorted(table.to_pylist(), key=lambda row: (row["date"], row["source"]))
    balanced = [
        [
            row["source"],
            str(row["date"]),
            *(row[name] for name in (*_COUNTS, "open")),
            row["received"] - sum(row[name] for name in _COUNTS[1:]),
        ]
        for row in rows
    ]
    return ["source", "date", *_COUNTS, "open", "unaccounted"], balanced


def _as_it_is(run: RunRecord) -> RunRecord:
    """The run as recorded, or as failed where its process has died and nobody has recorded that yet."""
    if run.status is not RunStatus.RUNNING or is_worked_on(run.run_id):
        return run
    return replace(run, status=RunStatus.FAILED, message=died(run.pipeline, datetime.now(UTC)))


def print_status(settings: Settings, *, as_json: bool) -> None:
    """Prints totals of the ledger and the last runs."""
    client = connect(settings.clickhouse, Role.READER)
    _, rows = ledger_rows(client)
    totals = {name: sum(row[place] for row in rows) for place, name in enumerate((*_COUNTS, "open"), start=2)}
    runs = [_as_it_is(run) for run in last_runs(client, _SHOWN_RUNS)]
    if as_json:
        print_json({"totals": totals, "runs": [asdict(run) for run in runs]})
        return
    print_table("Events", list(totals), [list(totals.values())])
    print_table(
        "Last runs",
        ("pipeline", "status", "started (UTC)", "seconds", "what it did"),
        [
            (run.pipeline, str(run.status), f"{run.started_at:%Y-%m-%d %H:%M:%S}", run.seconds, run.message)
            for run in runs
        ],
        empty="No pipeline has run yet.",
    )
    if totals["pending"]:
        out.print("Waiting events are processed every minute; `clickstream process` does it now.")
