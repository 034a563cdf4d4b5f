import time
from collections.abc import Callable

from clickstream.settings import GeneratorSettings
from generator.live_cli import call

_PATIENCE_SECONDS = 60.0


def wait_until(condition: Callable[[], bool]) -> None:
    """Wait for something that must come true; what can't be asked yet is not true yet."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, "it did not come true"
        time.sleep(0.05)


def wait_until_all_is_acknowledged(settings: GeneratorSettings) -> None:
    """Wait until the service has nothing under way."""

    def is_all_acknowledged() -> bool:
        sources = call(settings, "GET", "/status").sources.values()
        return not any(source.unacknowledged for source in sources)

    wait_until(is_all_acknowledged)
