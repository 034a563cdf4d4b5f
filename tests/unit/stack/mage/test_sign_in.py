"""How often signing in may fail."""

from stack.mage.sign_in import FAILURES_ALLOWED, PERIOD_SECONDS, FailedSignIns


class Clock:
    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


def failing(clock: Clock, times: int, address: str = "a") -> FailedSignIns:
    failures = FailedSignIns(clock)
    for _ in range(times):
        failures.add(address)
    return failures


def test_a_few_failures_cost_nothing() -> None:
    assert failing(Clock(), FAILURES_ALLOWED - 1).pause_seconds("a") == 0


def test_one_more_has_to_wait_until_the_first_is_old() -> None:
    clock = Clock()
    failures = failing(clock, FAILURES_ALLOWED)

    clock.seconds += 20
    assert failures.pause_seconds("a") == PERIOD_SECONDS - 20
    assert failures.pause_seconds("b") == 0
    clock.seconds += PERIOD_SECONDS - 20
    assert failures.pause_seconds("a") == 0


def test_success_takes_back_its_own_attempt_and_no_other() -> None:
    failures = failing(Clock(), FAILURES_ALLOWED - 1)

    for _ in range(3):
        failures.add("a")
        failures.take_back("a")
    assert failures.pause_seconds("a") == 0
    failures.add("a")
    assert failures.pause_seconds("a") > 0
