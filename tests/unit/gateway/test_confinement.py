"""The limits that the kernel sets to a process. Each attempt runs in its own process."""

import subprocess
import sys
from pathlib import Path

import pytest

from stack.gateway.confinement import missing_walls

ATTEMPTS = {
    "read": "open('{outside}/secret').read()",
    "list": "__import__('os').listdir('{outside}')",
    "write": "open('{outside}/new', 'w')",
    "delete": "__import__('os').unlink('{outside}/secret')",
    "move in": "__import__('os').rename('{outside}/secret', '{inside}/secret')",
    "link in": "__import__('os').link('{outside}/secret', '{inside}/link')",
    "through a link": "open('{inside}/shortcut').read()",
    "environment": "open('/proc/self/environ').read()",
    "users": "open('/etc/passwd').read()",
    "other process": "open('/proc/1/cmdline').read()",
    "run a program": "__import__('subprocess').run(['/bin/true'])",
    "connect": "__import__('socket').create_connection(('127.0.0.1', {port}), timeout=2)",
}
PROGRAM = """
import errno
import sys
from pathlib import Path
from stack.gateway.confinement import Walls, confine, program_paths
confine(Walls(readable=program_paths((sys.prefix, sys.base_prefix)), writable=(Path({inside!r}),)))
try:
    {attempt}
except OSError as error:
    sys.exit(13 if error.errno in (errno.EACCES, errno.EXDEV) else 1)
"""


@pytest.fixture
def places(tmp_path: Path) -> tuple[Path, Path]:
    """A directory inside of the walls and one outside of them."""
    inside, outside = tmp_path / "inside", tmp_path / "outside"
    inside.mkdir()
    outside.mkdir()
    (outside / "secret").write_text("secret")
    (inside / "shortcut").symlink_to(outside / "secret")
    return inside, outside


def _outcome(attempt: str, inside: Path) -> int:
    program = PROGRAM.format(inside=str(inside), attempt=attempt)
    return subprocess.run([sys.executable, "-c", program], check=False, timeout=60).returncode


@pytest.mark.skipif(missing_walls() is not None, reason=str(missing_walls()))
@pytest.mark.parametrize("attempt", ATTEMPTS.values(), ids=ATTEMPTS)
def test_a_confined_process_gets_no_further_than_its_walls(places: tuple[Path, Path], attempt: str) -> None:
    inside, outside = places
    assert _outcome(attempt.format(inside=inside, outside=outside, port=9), inside) == 13
    assert (outside / "secret").read_text() == "secret"
    assert not (outside / "new").exists()


def test_a_confined_process_works_on_its_data(places: tuple[Path, Path]) -> None:
    inside, _ = places
    work = (
        f"p = Path('{inside}'); (p / 'a').mkdir(); (p / 'a/x').write_text('1'); (p / 'a/x').rename(p / 'y'); "
        "sys.exit(0 if (p / 'y').read_text() == '1' else 1)"
    )
    assert _outcome(work, inside) == 0
