from collections import defaultdict
from itertools import islice, pairwise

import pytest

from generator.live.visits import Happening, Visits, WallClock
from generator.profiles import Population
from generator.sessions import SessionMaker

SEED = 11
PEOPLE = Population(SEED, 50)


def make_visits(rate: float = 20.0, run: str = "a run") -> Visits:
    return Visits(SessionMaker(SEED, PEOPLE, run), rate, SEED)


def take(visits: Visits, count: int) -> list[Happening]:
    return [visits.take() for _ in range(count)]


@pytest.fixture(scope="module")
def happenings() -> list[Happening]:
    return take(make_visits(), 5_000)


def test_events_come_in_the_order_of_time_with_visits_overlapping(happenings: list[Happening]) -> None:
    times = [event.created_ms for _, event in happenings]

    assert times == sorted(times)
    neighbours = pairwise(happenings)
    assert sum(one.session is not other.session for one, other in neighbours) > len(happenings) / 2


def test_the_events_of_a_visit_come_in_its_order_and_none_is_left_out(happenings: list[Happening]) -> None:
    taken = defaultdict(list)
    for session, event in happenings:
        taken[session.session_id].append(event)

    for session, _ in happenings:
        came = taken[session.session_id]
        assert came == session.events[: len(came)]


def test_an_element_is_seen_before_it_is_clicked(happenings: list[Happening]) -> None:
    seen = set()
    for session, event in happenings:
        if event.is_click:
            assert (session.session_id, event.url, event.element.element_id) in seen
        seen.add((session.session_id, event.url, event.element.element_id))


def test_the_clock_of_the_visits_keeps_step_with_the_rate(happenings: list[Happening]) -> None:
    late = happenings[1_000:]
    seconds = (late[-1].event.created_ms - late[0].event.created_ms) / 1_000

    assert len(late) / seconds == pytest.approx(20, rel=0.25)


def test_another_run_of_a_seed_is_the_same_visits_under_other_ids() -> None:
    one, other = take(make_visits(run="one"), 300), take(make_visits(run="other"), 300)

    def shown(taken: list[Happening]) -> list[tuple[int, int, str, str]]:
        return [
            (event.created_ms, session.person.user_id, event.url, event.element.element_id)
            for session, event in taken
        ]

    assert shown(one) == shown(other)
    ids = [{event.event_id for _, event in taken} for taken in (one, other)]
    sessions = [{session.session_id for session, _ in taken} for taken in (one, other)]
    assert not ids[0] & ids[1]
    assert not sessions[0] & sessions[1]


def test_a_stamped_event_lies_at_the_moment_of_sending_and_after_the_one_before_it() -> None:
    visits, clock = make_visits(), WallClock()
    last: dict[str, int] = {}
    for number, happening in enumerate(islice(iter(visits.take, None), 2_000)):
        now_ms = 1_000_000 + number // 50  # Many at the same moment.
        clock.stamp(happening, now_ms)
        session_id = happening.session.session_id
        assert happening.event.created_ms >= now_ms
        assert happening.event.created_ms > last.get(session_id, 0)
        assert happening.event.created_ms < now_ms + 100
        last[session_id] = happening.event.created_ms
