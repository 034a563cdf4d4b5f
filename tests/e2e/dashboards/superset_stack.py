"""A running Superset, and what people do with it."""

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

from clickstream.settings import PROJECT_ROOT, Settings
from dashboards.files import ASSETS
from stack.env_file import variable_of
from stack.lifecycle import Stack
from stack.services import SUPERSET_PYTHON
from tests.e2e.dashboards.superset_client import SupersetClient


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
