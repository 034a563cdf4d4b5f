"""Superset of the stack, with the sample's events to show."""

import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from clickstream.settings import PROJECT_ROOT, Settings
from clickstream.storage.client import Role, connect
from clickstream.storage.migrations import migrate
from dashboards.files import ASSETS
from stack.env_file import variable_of
from stack.isolated import isolated_stack
from stack.lifecycle import Stack
from stack.services import SUPERSET_PYTHON
from tests.integration.etl import pipelines
from tests.integration.superset.superset_client import SupersetClient

SAMPLE = PROJECT_ROOT / "data" / "sample_events.csv"


@dataclass(frozen=True)
class Superset:
    """A running Superset, and who may sign in there."""

    stack: Stack

    @property
    def settings(self) -> Settings:
        return self.stack.settings

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.settings.superset.port}"

    def admin(self) -> SupersetClient:
        superset = self.settings.superset
        return SupersetClient(self.url, superset.admin_name, superset.admin_password.get_secret_value())

    def viewer(self) -> SupersetClient:
        superset = self.settings.superset
        return SupersetClient(self.url, superset.viewer_name, superset.viewer_password.get_secret_value())

    def anonymous(self) -> SupersetClient:
        return SupersetClient(self.url)

    def run(
        self, command: str, folder: Path = ASSETS, *options: str, **settings: str
    ) -> subprocess.CompletedProcess[str]:
        """What `make dashboards-…` calls, on a folder of assets; with some of Superset's settings changed."""
        environment = os.environ | {variable_of("superset", name): value for name, value in settings.items()}
        words = [str(SUPERSET_PYTHON), "-m", "dashboards", command, "--assets", str(folder), *options]
        return subprocess.run(
            words, cwd=PROJECT_ROOT, env=environment, capture_output=True, text=True, check=False
        )


@pytest.fixture(scope="package")
def superset(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Superset]:
    with isolated_stack(tmp_path_factory.mktemp("superset"), services=("clickhouse", "superset")) as stack:
        migrate(connect(stack.settings.clickhouse, Role.WRITER), stack.settings.clickhouse)
        pipelines.load(SAMPLE)
        pipelines.run()
        yield Superset(stack)


@pytest.fixture(scope="package")
def admin(superset: Superset) -> Iterator[SupersetClient]:
    with superset.admin() as client:
        yield client


@pytest.fixture(scope="package")
def viewer(superset: Superset) -> Iterator[SupersetClient]:
    with superset.viewer() as client:
        yield client
