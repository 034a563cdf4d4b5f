"""Whether the warehouse holds what the demo has sent, also where people have added data of their own."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from clickhouse_connect.driver.client import Client

from clickstream.cli.output import out
from clickstream.cli.state import ledger_rows
from clickstream.errors import ClickstreamError
from clickstream.loads.history import find_load
from clickstream.sources.csv import inspect_csv
from clickstream.storage.checks import run_checks
from clickstream.verification import compare_with_key, load_key
from generator.live.control import Status
from generator.plan import DatasetFiles

ARRIVAL_SECONDS: Final = 180.0
POLL_SECONDS: Final = 0.5
_RECOUNT: Final = "_equal_events"
"""How the names of those checks end that recount a view."""
_OF_A_FILE: Final = ("received", "stored", "duplicate", "quarantined")

Ledger = Mapping[str, Mapping[str, int]]
"""Counts by source."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a comparison came to.

    Attributes:
        is_right: Whether nothing of the demo is missing or wrong.
        sentence: The same for people.
    """

    is_right: bool
    sentence: str


def expected_ledger(key: Mapping[str, Any], live: Status) -> dict[str, dict[str, int]]:
    """What the ledger must show by source: the keys, and what the live generator had acknowledged before."""
    ledger = _ledger_of(key)
    for source, account in live.sources.items():
        totals = ledger[source.value]
        totals["received"] += account.received
        totals["stored"] += account.valid
        totals["duplicate"] += account.duplicate
        totals["quarantined"] += account.faulty
    return ledger


def _ledger_of(key: Mapping[str, Any]) -> dict[str, dict[str, int]]:
    columns = key["ledger"]["columns"]
    return {row[0]: dict(zip(columns[1:], row[1:], strict=True)) for row in key["ledger"]["rows"]}


def found_ledger(client: Client) -> dict[str, dict[str, int]]:
    """The ledger over all days."""
    columns, rows = ledger_rows(client)
    totals: dict[str, dict[str, int]] = {}
    for row in rows:
        source = totals.setdefault(row[0], dict.fromkeys(columns[2:], 0))
        for name, value in zip(columns[2:], row[2:], strict=True):
            source[name] += value
    return totals


def wait_for_arrival(client: Client, expected: Ledger) -> None:
    """Waits until all that was acknowledged is in `raw_events`.

    Raises:
        ClickstreamError: Something is missing after a long time.
    """
    deadline = time.monotonic() + ARRIVAL_SECONDS
    while missing := _missing(expected, found_ledger(client)):
        if time.monotonic() > deadline:
            raise ClickstreamError(
                f"Acknowledged events have not arrived: {missing}.",
                hint="See `make logs SERVICE=stream_events`.",
            )
        time.sleep(POLL_SECONDS)


def _missing(expected: Ledger, found: Ledger) -> dict[str, int]:
    """By source, the acknowledged events that were not received; sources without any are left out."""
    counts = {
        source: counts["received"] - found.get(source, {}).get("received", 0)
        for source, counts in expected.items()
    }
    return {source: count for source, count in counts.items() if count > 0}


def own_data(expected: Ledger, found: Ledger) -> dict[str, int]:
    """By source, the received events that are not the demo's; sources without any are left out."""
    counts = {
        source: counts["received"] - expected.get(source, {}).get("received", 0)
        for source, counts in found.items()
    }
    return {source: count for source, count in counts.items() if count > 0}


def verify(client: Client, files: DatasetFiles, expected: Ledger, key: Path | None) -> Outcome:
    """Compares the ledger with what was acknowledged, and every view with the key or a recount.

    Args:
        client: A connection that may read.
        files: The demo's file and its answer key.
        expected: The ledger by source.
        key: The key to all events; None where the live generator has sent more, to which there is no key.
    """
    found = found_ledger(client)
    foreign = own_data(expected, found)
    erased = sum(counts["erased"] for counts in found.values())
    is_own = bool(foreign or erased)
    if is_own:
        _explain(foreign, erased)
        is_right = _verify_file(client, files) if not erased else True
        is_right &= not _missing(expected, found)
    else:
        is_right = _verify_all(client, expected, found, key)
    checks = run_checks(client)
    failed = [check.name for check in checks if not check.passed]
    recounted = [check.name.removesuffix(_RECOUNT) for check in checks if check.name.endswith(_RECOUNT)]
    out.print(
        f"  {len(checks)} checks of the warehouse, {len(failed)} failed {' '.join(failed)}\n"
        f"  {len(recounted)} of them recount a view from the stored events: {', '.join(recounted)}",
        markup=False,
        soft_wrap=True,
    )
    return _outcome(is_right=is_right and not failed, is_own=is_own)


def _outcome(*, is_right: bool, is_own: bool) -> Outcome:
    if not is_right:
        return Outcome(False, "The warehouse differs from the answer keys.")
    if is_own:
        return Outcome(
            True,
            "Nothing of the demo is missing, and every view equals a recount. Because of your own data, the "
            "whole was not compared with the answer keys; `make reset` and `make demo` do that.",
        )
    return Outcome(True, "Every result matches the answer keys.")


def _explain(foreign: Mapping[str, int], erased: int) -> None:
    parts = [f"{count:,} from {source}" for source, count in foreign.items()]
    parts += [f"{erased:,} erased"] if erased else []
    out.print(
        f"  Besides the demo's events there are your own ({', '.join(parts)}), so the whole can't equal the "
        "answer keys. Instead, this checks the demo's file by itself, that every acknowledged event has "
        "arrived, and each view against a recount.",
        markup=False,
        soft_wrap=True,
    )


def _verify_file(client: Client, files: DatasetFiles) -> bool:
    """Whether the demo's file by itself became what its key says."""
    expected = _ledger_of(load_key(files.key))["csv"]
    load = find_load(client, inspect_csv(files.events).sha256)
    found = {name: getattr(load, name, 0) for name in _OF_A_FILE}
    is_equal = all(found[name] == expected[name] for name in _OF_A_FILE)
    result = "as its key says" if is_equal else f"expected {expected}, found {found}"
    out.print(f"  {files.events.name}: {found['received']:,} received, {result}", markup=False)
    return is_equal


def _verify_all(client: Client, expected: Ledger, found: Ledger, key: Path | None) -> bool:
    is_right = True
    for source, counts in expected.items():
        is_equal = all(found.get(source, {}).get(name, 0) == count for name, count in counts.items())
        result = "as acknowledged" if is_equal else f"expected {dict(counts)}, found {found.get(source)}"
        out.print(f"  ledger of {source}: {counts['received']:,} received, {result}", markup=False)
        is_right &= is_equal
    for item in compare_with_key(client, load_key(key)) if key else []:
        result = f"{len(item.differences)} rows differ from" if item.differences else "equal to"
        out.print(f"  {item.name}: {item.rows:,} rows, {result} the key", markup=False)
        is_right &= not item.differences
    if key is None:
        out.print("  The live generator has sent events since, so views are compared with a recount only.")
    return is_right
