"""Several answer keys as one: over the union of their events, recomputed and not added up.

Distinct users and medians can't be added up. A key of live events records its sessions; those of a CSV file
are made once more from the parameters that its key names.
"""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from clickstream.errors import BadInputError
from clickstream.reasons import ErrorCode
from clickstream.verification import load_key
from generator.answer_key import CSV, FORMAT, LEDGER_COLUMNS, AnswerKey
from generator.csv_writer import RecordStream, count_people
from generator.plan import DAY_MS, Plan
from generator.profiles import Population
from generator.recorded import SESSIONS, read_session
from generator.sessions import Session

_PARTS: Final = "parts"


class _Sessions:
    """A witness that keeps the sessions and nothing else."""

    def __init__(self) -> None:
        self.sessions: list[Session] = []

    def add_session(self, session: Session) -> None:
        self.sessions.append(session)

    def add_duplicate(self) -> None:
        """The ledger of the key has them."""

    def add_fault(self, codes: Iterable[ErrorCode]) -> None:
        """The ledger of the key has them."""


def merge_keys(paths: Sequence[Path], out: Path) -> None:
    """Write the key to all events of some keys.

    Args:
        paths: Keys of `generator csv` and `generator live run`, no two of them to the same events.
        out: Where to write.

    Raises:
        BadInputError: A file is not such a key, or a file cannot be written.
    """
    parts = [(path, load_key(path)) for path in paths]
    rows = [dict(zip(LEDGER_COLUMNS, row, strict=True)) for _, key in parts for row in key["ledger"]["rows"]]
    sources = list(dict.fromkeys(row["source"] for row in rows))
    merged = AnswerKey({_PARTS: [key["parameters"] for _, key in parts]}, sources)
    every = [found for path, key in parts for found in _sessions_of(path, key)]
    for source, session in sorted(every, key=_start_day):
        merged.add_session(session, source)
    for row in rows:
        merged.add_disturbances(row["source"], row["duplicate"], row["quarantined"], {})
    for _, key in parts:
        by_code = {ErrorCode(code): events for code, events in key["quarantined"]["by_code"].items()}
        merged.add_disturbances(sources[0], 0, 0, by_code)
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        merged.write(out)
    except OSError as error:
        raise BadInputError(f"Can't write {out}: {error.strerror}.") from error


def _sessions_of(path: Path, key: Mapping[str, Any]) -> list[tuple[str, Session]]:
    parameters = key["parameters"]
    if _PARTS in parameters:
        raise BadInputError(f"{path} is a merged key already.", hint="Merge the keys that it was made of.")
    try:
        if SESSIONS in key:
            return [read_session(recorded) for recorded in key[SESSIONS]]
        if key.get("format") != FORMAT:
            raise BadInputError(
                f"{path} was written by another version of the generator, which makes other events of the "
                "same parameters.",
                hint="Generate the file again. After an upgrade, `make reset` and deleting the files in "
                "data/generated/ lets the demo begin again.",
            )
        sessions = _make_again(Plan.from_parameters(parameters))
    except (KeyError, TypeError, ValueError) as error:
        raise BadInputError(f"{path} does not say how it was made: {error!r}.") from error
    stored = key["ledger"]["rows"][0][LEDGER_COLUMNS.index("stored")]
    made = sum(len(session.events) for session in sessions)
    if made != stored:
        raise BadInputError(
            f"{path} has {stored} events, but this version of the generator makes {made} of its parameters.",
            hint="Generate the file again.",
        )
    return [(CSV, session) for session in sessions]


def _make_again(plan: Plan) -> list[Session]:
    """The sessions of a CSV file, from its plan."""
    witness = _Sessions()
    for _ in RecordStream(plan, Population(plan.seed, count_people(plan)), witness).make_chunks():
        pass
    return witness.sessions


def _start_day(found: tuple[str, Session]) -> int:
    return min(event.created_ms for event in found[1].events) // DAY_MS
