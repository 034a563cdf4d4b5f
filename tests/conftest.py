"""How the tests are spread over processes: those that share a stack stay together."""

from pathlib import Path

import pytest

_TESTS = Path(__file__).parent


def pytest_itemcollected(item: pytest.Item) -> None:
    """Name each test's group: its folder where the folder shares a stack, else its file."""
    folder = item.path.parent
    shares_a_stack = (folder / "conftest.py").exists() and _TESTS / "unit" not in folder.parents
    group = folder if shares_a_stack else item.path
    item.add_marker(pytest.mark.xdist_group(str(group.relative_to(_TESTS))))
