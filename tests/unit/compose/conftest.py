"""The compose file as the real command line of Docker Compose reads it."""

import json
import os
import re
import subprocess
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from clickstream.settings import PROJECT_ROOT

COMPOSE = PROJECT_ROOT / ".venv" / "bin" / "docker-compose"
FILE = PROJECT_ROOT / "docker-compose.yml"

Compose = Callable[..., subprocess.CompletedProcess[str]]


def required_variables() -> list[str]:
    """The variables without which the file can't be used."""
    return sorted(set(re.findall(r"\$\{(\w+):\?", FILE.read_text())))


@pytest.fixture(scope="session")
def compose() -> Compose:
    """Runs `docker compose` with these variables and no others of the project."""

    def run(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        no_file = () if "--env-file" in arguments else ("--env-file", "/dev/null")
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("CLICKSTREAM_")}
        return subprocess.run(
            [str(COMPOSE), *no_file, *arguments],
            cwd=PROJECT_ROOT,
            env={**inherited, **variables},
            capture_output=True,
            text=True,
            check=False,
        )

    return run


@pytest.fixture(scope="session")
def project(compose: Compose) -> Mapping[str, Any]:
    """The whole project, profiles included, with a value for each secret."""
    secrets = dict.fromkeys(required_variables(), "a-secret-of-this-test")
    done = compose("--profile", "*", "config", "--format", "json", **secrets)
    assert done.returncode == 0, done.stderr
    loaded: Mapping[str, Any] = json.loads(done.stdout)
    return loaded


@pytest.fixture(scope="session")
def services(project: Mapping[str, Any]) -> Mapping[str, Any]:
    """The services by name."""
    found: Mapping[str, Any] = project["services"]
    return found
