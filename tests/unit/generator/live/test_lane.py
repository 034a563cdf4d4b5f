"""Whether the visits of different senders are independent draws."""

from collections.abc import Callable, Iterable
from itertools import islice

import pytest

from generator.csv_writer import RecordStream
from generator.live.lane import Crowd
from generator.live.options import DEFAULT_GENERATOR, Source
from generator.live.visits import Visits
from generator.plan import Plan
from generator.profiles import Population
from generator.sessions import Session, SessionMaker

SEED = 2025
PEOPLE = Population(SEED, 50)

Walk = tuple[int, tuple[str, ...]]
"""Who came, and which elements they saw and clicked one after the other."""


class Witness:
    """Keeps the sessions of a file."""

    def __init__(self) -> None:
        self.sessions: list[Session] = []

    def add_session(self, session: Session) -> None:
        self.sessions.append(session)

    def add_duplicate(self) -> None: ...

    def add_fault(self, codes: object) -> None: ...


def walks(sessions: Iterable[Session]) -> set[Walk]:
    """The walks that are too long to be the same by chance."""
    return {
        (session.person.user_id, tuple(f"{event.url} {event.element.element_id}" for event in session.events))
        for session in sessions
        if len(session.events) >= 9
    }


def live_walks(source: Source, generator: str = DEFAULT_GENERATOR, run: str = "a run") -> set[Walk]:
    seed = Crowd(PEOPLE, SEED, run, generator).visits_seed(source)
    visits = Visits(SessionMaker(seed, PEOPLE, run), 20.0, seed)
    return walks(happening.session for happening in islice(iter(visits.take, None), 5_000))


def file_walks() -> set[Walk]:
    witness = Witness()
    for _ in RecordStream(Plan(events=5_000, days=7, seed=SEED), PEOPLE, witness).make_chunks():
        pass
    return walks(witness.sessions)


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(lambda: live_walks(Source.HTTP), id="the other way"),
        pytest.param(lambda: live_walks(Source.BROKER, "second"), id="another generator"),
        pytest.param(file_walks, id="a file"),
    ],
)
def test_senders_of_one_seed_send_different_visits(other: Callable[[], set[Walk]]) -> None:
    one, another = live_walks(Source.BROKER), other()

    assert len(one) > 100
    assert len(another) > 100
    assert not one & another


def test_a_generator_sends_the_same_visits_when_it_is_started_again() -> None:
    assert live_walks(Source.BROKER, run="one") == live_walks(Source.BROKER, run="other")
