"""When a generator ends, and whether it goes on after its service has started again."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from clickstream.settings import Settings, get_settings
from generator.live.account import Account
from generator.live.control import LiveGenerator
from generator.live.options import DEFAULT_GENERATOR, LiveOptions, Target
from generator.live.targets import Targets
from stack.processes import free_port
from tests.waiting import wait_until

NOW = datetime.now(UTC)


@pytest.fixture
def settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Settings]:
    monkeypatch.setenv("CLICKSTREAM_ENV_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("CLICKSTREAM_API__PORT", str(free_port("127.0.0.1")))
    get_settings.cache_clear()
    yield get_settings()
    get_settings.cache_clear()


@pytest.fixture
def account(tmp_path: Path) -> Iterator[Account]:
    opened = Account(tmp_path / "journal.jsonl")
    yield opened
    opened.close()


@pytest.fixture
def targets(settings: Settings, account: Account) -> Iterator[Targets]:
    made = Targets(settings, account, lambda _parcel: None)
    yield made
    made.close()


def started(settings: Settings, account: Account, targets: Targets) -> LiveGenerator:
    """A generator as the next process makes it."""
    return LiveGenerator(DEFAULT_GENERATOR, settings, account, targets)


@pytest.mark.parametrize(
    ("before", "state"),
    [
        pytest.param({}, "running", id="as a rule"),
        pytest.param({"resumes": False}, "stopped", id="not if it was told so"),
        pytest.param({"ends_at": NOW - timedelta(seconds=1)}, "stopped", id="not past its time"),
        pytest.param({"ends_at": NOW + timedelta(hours=1)}, "running", id="within its time"),
    ],
)
def test_a_generator_goes_on_after_a_restart(
    settings: Settings, account: Account, targets: Targets, before: dict[str, object], state: str
) -> None:
    account.record_wish(LiveOptions(target=Target.HTTP, **before))  # type: ignore[arg-type]

    generator = started(settings, account, targets)

    assert generator.status().state == state
    assert (account.wish() is not None) == (state == "running")
    assert not generator.status().was_interrupted(NOW)
    generator.stop()


@pytest.mark.parametrize(
    ("ends_at", "expected"),
    [
        pytest.param(NOW + timedelta(hours=1), True, id="before its time"),
        pytest.param(NOW - timedelta(seconds=1), False, id="its time is over"),
    ],
)
def test_a_generator_that_does_not_go_on_says_that_it_was_interrupted(
    settings: Settings, account: Account, targets: Targets, ends_at: datetime, expected: bool
) -> None:
    account.record_wish(LiveOptions(target=Target.HTTP, resumes=False, ends_at=ends_at))

    assert started(settings, account, targets).status().was_interrupted(NOW) is expected


def test_a_generator_ends_when_its_time_is_over(
    settings: Settings, account: Account, targets: Targets
) -> None:
    generator = started(settings, account, targets)

    generator.start(LiveOptions(target=Target.HTTP, minutes=0.002))

    wait_until(lambda: generator.status().state == "stopped", "the generator has ended")
    assert account.wish() is None


def test_a_generator_that_is_started_again_has_the_time_of_its_second_start(
    settings: Settings, account: Account, targets: Targets
) -> None:
    generator = started(settings, account, targets)
    generator.start(LiveOptions(target=Target.HTTP, minutes=0.01))
    generator.stop()

    generator.start(LiveOptions(target=Target.HTTP, minutes=60))

    ends_at = generator.options.ends_at
    assert ends_at is not None
    assert ends_at - NOW > timedelta(minutes=59)
    generator.stop()
