"""What becomes of the output of a program of others."""

import json
import subprocess
import sys
from pathlib import Path

PROGRAM = """
import logging, os, warnings
warnings.simplefilter("always")
warnings.warn("for the author of a library", DeprecationWarning)
logging.basicConfig()
warnings.warn("after the logs are set up", FutureWarning)
if os.fork() == 0:
    warnings.warn("in a child", UserWarning)
    print("the child works", flush=True)
    os._exit(0)
os.wait()
logging.getLogger("its").warning("a warning of its own")
"""


def test_warnings_for_authors_are_left_out_and_those_of_the_program_are_kept(tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text(PROGRAM)

    done = subprocess.run(
        [sys.executable, "-m", "stack.log_output", "mage", "program"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )

    lines = [json.loads(line) for line in (done.stdout + done.stderr).splitlines()]
    assert [(line["logger"], line["message"]) for line in lines] == [
        ("output", "the child works"),
        ("its", "a warning of its own"),
    ]
