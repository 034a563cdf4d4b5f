"""How often signing in may fail."""

from clickstream.sign_in import FAILURES_ALLOWED, PERIOD_SECONDS, FailedSignIns


class Clock:
    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


def failing(clock: Clock, times: int) -> FailedSignIns:
    failures = FailedSignIns(clock)
    assert [failures.begin("a") for _ in range(times)] == [0] * times
    return failures


def test_after_the_last_failure_allowed_an_address_waits_until_the_first_is_old() -> None:
    clock = Clock()
    failures = failing(clock, FAILURES_ALLOWED)

    clock.seconds += 20
    assert failures.begin("a") == PERIOD_SECONDS - 20
    assert failures.begin("b") == 0
    clock.seconds += PERIOD_SECONDS - 20
    assert failures.begin("a") == 0


def test_who_waits_is_not_made_to_wait_longer() -> None:
    clock = Clock()
    failures = failing(clock, FAILURES_ALLOWED)

    for _ in range(FAILURES_ALLOWED):
        failures.begin("a")
    clock.seconds += PERIOD_SECONDS
    assert failures.begin("a") == 0


def test_success_takes_back_its_own_attempt_and_no_other() -> None:
    failures = failing(Clock(), FAILURES_ALLOWED - 1)

    for _ in range(3):
        assert failures.begin("a") == 0
        failures.take_back("a")
    assert failures.begin("a") == 0
    assert failures.begin("a") > 0
