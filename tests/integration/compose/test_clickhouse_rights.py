"""The engine lets each user of the server run the SQL that the project runs as that user."""

import json
import subprocess
import sys
from pathlib import Path

from clickstream.settings import PROJECT_ROOT


def test_the_servers_users_may_run_all_sql_of_the_warehouse(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.integration.compose.warehouse_sql", tmp_path],
        cwd=PROJECT_ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {}
