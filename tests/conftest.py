"""How the tests are spread over processes: those that share a stack stay together."""

from pathlib import Path

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

_ROOT = Path(__file__).parent.parent
_UNIT = _ROOT / "tests" / "unit"


class _FolderScheduling(LoadScopeScheduling):
    """Gives a process a folder of tests where the folder shares a stack, else a file.

    pytest-xdist's own groups (`xdist_group`) do nothing under pytest 9.
    """

    def _split_scope(self, nodeid: str) -> str:
        file = _ROOT / nodeid.partition("::")[0]
        shares_a_stack = (file.parent / "conftest.py").exists() and _UNIT not in file.parents
        return str(file.parent if shares_a_stack else file)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadScopeScheduling:
    """Called by pytest-xdist once the processes are there."""
    return _FolderScheduling(config, log)
