"""Mage's command line, made fit to run unattended; runs in Mage's environment.

Mage asks PyPI for its newest version whenever the editor opens a project, and reports a refusal to send usage
statistics to its makers. Neither has a switch, so both are replaced before Mage starts. What else is repaired
is told in `mage_project/repairs.py`; who is let in, in `stack/mage/doors.py`.
"""

from mage_ai.api.resources import ProjectResource
from mage_ai.cli.main import app
from mage_ai.server.constants import VERSION
from mage_ai.usage_statistics.logger import UsageStatisticLogger

from clickstream.settings import get_settings
from mage_project.repairs import repair_mage
from stack.mage.guard import guard_mage
from stack.mage.kernels import sign_kernel_messages
from stack.paths import StackPaths


async def installed_version() -> str:
    """Stands in for the newest version at PyPI."""
    return str(VERSION)


async def send_nothing(*_arguments: object, **_options: object) -> bool:
    """Stands in for what sends usage statistics; says that nothing was sent."""
    return False


def cut_connections() -> None:
    """Replace what connects to the internet.

    Raises:
        AttributeError: Mage was changed so that there is nothing to replace; look again what it sends.
    """
    replacements = (
        (ProjectResource, "get_latest_version", installed_version),
        (UsageStatisticLogger, "_UsageStatisticLogger__send_message", send_nothing),
        (
            UsageStatisticLogger,
            "_UsageStatisticLogger__send_message_sync",
            lambda *_arguments, **_options: False,
        ),
    )
    for owner, name, replacement in replacements:
        getattr(owner, name)
        setattr(owner, name, replacement)


if __name__ == "__main__":
    cut_connections()
    settings = get_settings()
    repair_mage(StackPaths(settings.stack.data_path).scheduler_beat)
    sign_kernel_messages()
    # The other services call it by the name that the settings give to it.
    guard_mage(f"{settings.mage.allowed_hosts},{settings.mage.host}")
    app()
