"""The supervisor's log: JSON, whatever it has to say, and from the first line on."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

from tests.waiting import wait_until

CONFIG = """\
[supervisord]
logfile={directory}/supervisor.log
pidfile={directory}/supervisord.pid
{user}
[program:broken]
command=/bin/no"such
"""


def test_each_line_of_the_log_is_json_that_says_what_happened(tmp_path: Path) -> None:
    config, log = tmp_path / "supervisord.conf", tmp_path / "supervisor.log"
    config.write_text(CONFIG.format(directory=tmp_path, user="user=root" if os.getuid() == 0 else ""))

    subprocess.run(
        [sys.executable, "-m", "stack.supervisor_process", "-c", str(config)], check=True, cwd=tmp_path
    )
    wait_until(lambda: log.exists() and "spawnerr" in log.read_text(), "the program was tried")
    os.kill(int((tmp_path / "supervisord.pid").read_text()), signal.SIGTERM)
    wait_until(lambda: not (tmp_path / "supervisord.pid").exists(), "the supervisor has ended")

    lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert {line["service"] for line in lines} == {"supervisor"}
    assert "spawnerr: can't parse command '/bin/no\"such': No closing quotation" in [
        line["message"] for line in lines
    ]
    assert lines[-1]["level"] == "warning"
