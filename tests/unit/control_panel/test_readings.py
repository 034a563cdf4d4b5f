"""Answers that pages share."""

import threading
import time

from clickstream.errors import ServiceUnavailableError
from control_panel.clients.readings import read_all, shared


def test_an_answer_is_asked_for_once_within_its_time() -> None:
    asked = []

    @shared(seconds=60)
    def question(name: str) -> str:
        asked.append(name)
        return name.upper()

    assert question("a").read().value == "A"
    assert question("a").read().value == "A"
    assert question("b").read().value == "B"
    assert asked == ["a", "b"]


def test_many_pages_that_ask_at_once_share_one_question() -> None:
    release, asked = threading.Event(), []

    @shared(seconds=60)
    def question() -> int:
        asked.append(1)
        release.wait(5)
        return 7

    futures = {question().start() for _ in range(5)}
    release.set()

    assert question().read().value == 7
    assert len(futures) == len(asked) == 1


def test_a_slow_answer_is_not_waited_for() -> None:
    release = threading.Event()

    @shared(seconds=60)
    def question() -> int:
        release.wait(5)
        return 7

    reading = question().read(wait_seconds=0.01)
    release.set()

    assert (reading.value, reading.is_waiting) == (None, True)
    assert question().read().value == 7


def test_a_page_waits_once_for_an_answer_that_several_of_its_parts_need() -> None:
    release = threading.Event()

    @shared(seconds=60)
    def question() -> int:
        release.wait(5)
        return 7

    begin = time.monotonic()
    readings = [question().read(wait_seconds=0.3) for _ in range(10)]
    waited = time.monotonic() - begin
    release.set()

    assert all(reading.is_waiting for reading in readings)
    assert 0.3 <= waited < 0.9


def test_a_problem_is_told_with_the_last_answer() -> None:
    is_away = False

    @shared(seconds=0)
    def question() -> int:
        if is_away:
            raise ServiceUnavailableError("It is away.", hint="Start it.")
        return 7

    assert question().read().value == 7
    is_away = True
    reading = question().read()

    assert str(reading.problem) == "It is away."
    assert reading.value == 7


def test_an_unexpected_failure_is_told_in_a_sentence() -> None:
    @shared(seconds=60)
    def question() -> int:
        raise LookupError("secret detail")

    problem = question().read().problem

    assert problem is not None
    assert "secret detail" not in str(problem)


def test_what_was_changed_is_asked_for_again() -> None:
    numbers = iter([1, 2])

    @shared(seconds=60)
    def question() -> int:
        return next(numbers)

    assert question().read().value == 1
    question.forget()
    assert question().read().value == 2


def test_questions_are_asked_at_the_same_time() -> None:
    meeting = threading.Barrier(3, timeout=5)

    @shared(seconds=60)
    def question(_name: str) -> int:
        return meeting.wait()

    questions = [question(name) for name in "abc"]
    read_all(*questions, wait_seconds=5)

    assert sorted(str(one.reading().value) for one in questions) == ["0", "1", "2"]


def test_an_answer_that_took_long_is_shared_longer() -> None:
    asked = []

    def answer(pause: threading.Event) -> int:
        asked.append(1)
        pause.wait(0.05)
        return len(asked)

    brief, long = (shared(seconds=0, rest=rest)(answer) for rest in (0, 1_000))
    pause = threading.Event()

    assert [brief(pause).read().value for _ in range(2)] == [1, 2]
    assert [long(pause).read().value for _ in range(2)] == [3, 3]
