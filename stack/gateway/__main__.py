"""Starts the gateway: `python -m stack.gateway`.

This process reads the settings, and so knows every password of the stack. The database's process must not: a
fresh one takes its place (`serve`), with digests instead of passwords and an environment without secrets.
"""

import os
import sys
from typing import Final, NoReturn

from clickstream.settings import get_settings
from stack.gateway.configuration import Configuration
from stack.processes import DATA_MARK, SERVICE_MARK

# By the marks the stack finds what is left over; the others say how to log and how to tell the time.
_KEPT: Final = (DATA_MARK, SERVICE_MARK, "PYTHONUNBUFFERED", "LANG", "LC_ALL", "TZ")


def main() -> NoReturn:
    """Become the database's process."""
    descriptor = Configuration.of(get_settings()).hand_over()
    environment = {name: os.environ[name] for name in _KEPT if name in os.environ}
    # Safe path: nothing is imported from the working directory, which is the database's own.
    command = [sys.executable, "-P", "-m", "stack.gateway.serve", str(descriptor)]
    os.execve(command[0], command, environment)  # noqa: S606 -- no shell is wanted


if __name__ == "__main__":
    main()
