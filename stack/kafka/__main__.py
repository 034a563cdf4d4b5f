"""`python -m stack.kafka`: become the Kafka node of the stack, in the foreground.

`python -m stack.kafka lock` downloads what pom.xml says and writes its checksums.
"""

import os
import sys
import tempfile
from pathlib import Path

from clickstream.errors import ClickstreamError
from clickstream.settings import get_settings
from stack.kafka.install import CHECKSUMS, checksums_of, download
from stack.kafka.server import make_ready


def lock() -> None:
    """Write the checksums of what pom.xml says."""
    with tempfile.TemporaryDirectory() as directory:
        jars = Path(directory) / "jars"
        download(jars, print)
        lines = [f"{checksum}  {name}\n" for name, checksum in checksums_of(jars).items()]
    CHECKSUMS.write_text("".join(lines), encoding="utf-8")


if __name__ == "__main__":
    try:
        if sys.argv[1:] == ["lock"]:
            lock()
        else:
            command = list(make_ready(get_settings()))
            os.execv(command[0], command)  # noqa: S606 -- no shell is wanted
    except (ClickstreamError, OSError) as error:
        sys.exit(f"kafka can't be started: {error} {getattr(error, 'hint', '')}")
