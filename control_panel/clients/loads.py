"""CSV files that were loaded, and asking for a load."""

from dataclasses import dataclass
from datetime import datetime

from control_panel.clients import mage, warehouse
from control_panel.clients.readings import shared

PIPELINE = "load_csv"
_SHOWN = 50


@dataclass(frozen=True, slots=True)
class Load:
    """What became of one file.

    Attributes:
        sha256: The hash of its bytes; its identity.
        received: Its lines in `raw_events`, broken ones among them.
        last_line: The number of the last of them.
        first_received_at: When the first was received.
        last_received_at: When the last was received.
        stored: Events that are in the numbers.
        warned: Of these, events stored without an optional value.
        duplicate: Events whose id was stored before.
        quarantined: Events that were refused.
        replayed: Of these, events that were sent again.
        pending: Events that the next run of the pipeline takes.
        codes: How often each rule was broken, the most frequent first.
    """

    sha256: str
    received: int
    last_line: int
    first_received_at: datetime
    last_received_at: datetime
    stored: int
    warned: int
    duplicate: int
    quarantined: int
    replayed: int
    pending: int
    codes: tuple[tuple[str, int], ...]


@shared(seconds=2)
def loads() -> tuple[Load, ...]:
    """The files that were loaded, the latest first."""
    return tuple(
        Load(codes=tuple(zip(codes, counts, strict=True)), **row)
        for row in warehouse.rows("csv_loads", limit=_SHOWN)
        for codes, counts in [(row.pop("codes"), row.pop("code_counts"))]
    )


def begin_load(path: str) -> int:
    """Ask Mage to load a file; gives the run's id."""
    loads.forget()
    return mage.run_now(PIPELINE, {"path": path})
