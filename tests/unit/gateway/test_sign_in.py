"""How often a password may be guessed."""

import asyncio

import pytest

from clickstream.sign_in import FAILURES_ALLOWED
from stack.gateway.errors import StatementError
from stack.gateway.sign_in import FailedPasswords

ADDRESS = "192.0.2.1"


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


async def _fail(failures: FailedPasswords, times: int, address: str = ADDRESS) -> list[int]:
    statuses = []
    for _ in range(times):
        try:
            await failures.add(address)
            statuses.append(403)
        except StatementError as error:
            statuses.append(error.status)
    return statuses


def test_the_first_wrong_passwords_are_answered_at_once_and_then_there_were_too_many(clock: Clock) -> None:
    failures = FailedPasswords(clock, delay_seconds=0)
    statuses = asyncio.run(_fail(failures, FAILURES_ALLOWED + 2))
    assert statuses == [403] * FAILURES_ALLOWED + [429, 429]


def test_too_many_says_when_to_try_again(clock: Clock) -> None:
    failures = FailedPasswords(clock, delay_seconds=0)
    asyncio.run(_fail(failures, FAILURES_ALLOWED))
    clock.now = 20.0
    with pytest.raises(StatementError, match="try again in 40 s") as caught:
        asyncio.run(failures.add(ADDRESS))
    assert caught.value.retry_after_seconds == 40


def test_wrong_passwords_are_forgotten_after_a_minute(clock: Clock) -> None:
    failures = FailedPasswords(clock, delay_seconds=0)
    asyncio.run(_fail(failures, FAILURES_ALLOWED + 1))
    clock.now = 61.0
    assert asyncio.run(_fail(failures, 1)) == [403]


def test_addresses_count_apart(clock: Clock) -> None:
    failures = FailedPasswords(clock, delay_seconds=0)
    asyncio.run(_fail(failures, FAILURES_ALLOWED + 1))
    assert asyncio.run(_fail(failures, 1, "192.0.2.2")) == [403]


def test_a_crowd_of_an_address_is_refused_and_others_are_not(clock: Clock) -> None:
    failures = FailedPasswords(clock, delay_seconds=30)

    async def crowd() -> None:
        waiting = [asyncio.create_task(failures.add(ADDRESS)) for _ in range(FAILURES_ALLOWED + 16)]
        await asyncio.sleep(0)
        with pytest.raises(StatementError) as caught:
            failures.refuse_crowd(ADDRESS)
        assert caught.value.status == 429
        failures.refuse_crowd("192.0.2.2")
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
        failures.refuse_crowd(ADDRESS)

    asyncio.run(crowd())
