from clickstream.settings import GeneratorSettings
from generator.live_cli import call
from tests.waiting import wait_until


def wait_until_all_is_acknowledged(settings: GeneratorSettings) -> None:
    """Wait until the service has nothing under way."""

    def is_all_acknowledged() -> bool:
        sources = call(settings, "GET", "/status").sources.values()
        return not any(source.unacknowledged for source in sources)

    wait_until(is_all_acknowledged)
