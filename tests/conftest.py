"""How the tests are spread over processes: those that share a stack stay together."""

from pathlib import Path

import pytest

_TESTS = Path(__file__).parent


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Name each test's group: its folder where the folder shares a stack, else its file."""
    for item in items:
        shares_a_stack = (
            item.path.parent / "conftest.py"
        ).exists() and _TESTS / "unit" not in item.path.parents
        group = item.path.parent if shares_a_stack else item.path
        item.add_marker(pytest.mark.xdist_group(str(group.relative_to(_TESTS))))
