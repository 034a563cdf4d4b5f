"""Whether Superset's metadata database takes writes."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from dashboards.live.metadata import PATIENCE_SECONDS, WriteCheck


class Clock:
    """Goes on only when it is told to."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def other(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """The connection of another process."""
    with closing(sqlite3.connect(tmp_path / "superset.db", isolation_level=None)) as connection:
        connection.execute("create table ab_user (id integer)")
        yield connection


def test_a_database_that_takes_writes_is_no_problem(
    tmp_path: Path, clock: Clock, other: sqlite3.Connection
) -> None:
    check = WriteCheck(tmp_path / "superset.db", clock)
    clock.seconds = 10 * PATIENCE_SECONDS

    assert check.problem() is None


def test_a_lock_is_a_problem_once_it_lasts(tmp_path: Path, clock: Clock, other: sqlite3.Connection) -> None:
    check = WriteCheck(tmp_path / "superset.db", clock)
    other.execute("begin immediate")

    assert check.problem() is None
    clock.seconds = PATIENCE_SECONDS + 1
    assert check.problem() == (
        "Superset's metadata database has taken no write for 61 s: database is locked."
    )
    other.execute("rollback")
    assert check.problem() is None
    other.execute("begin immediate")
    assert check.problem() is None
