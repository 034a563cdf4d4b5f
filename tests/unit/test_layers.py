"""The rules of the layout: imports point inward, and generated things stay out."""

import ast
from pathlib import Path

import pytest

from clickstream.settings import PROJECT_ROOT

OUTER_PACKAGES = {
    "api",
    "benchmarks",
    "control_panel",
    "dashboards",
    "generator",
    "mage_project",
    "monitoring",
    "serving",
    "stack",
    "tests",
}
OUTER_LIBRARIES = {"fastapi", "starlette", "streamlit", "mage_ai", "uvicorn"}


def modules(folder: str) -> list[Path]:
    return sorted((PROJECT_ROOT / folder).rglob("*.py"))


def imported(path: Path) -> set[str]:
    """The top-level names that a module imports."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module.partition(".")[0])
    return names


@pytest.mark.parametrize("path", modules("clickstream"), ids=lambda path: str(path.relative_to(PROJECT_ROOT)))
def test_the_core_imports_nothing_from_outside(path: Path) -> None:
    assert imported(path) & (OUTER_PACKAGES | OUTER_LIBRARIES) == set()


@pytest.mark.parametrize("path", modules("clickstream"), ids=lambda path: str(path.relative_to(PROJECT_ROOT)))
def test_only_the_storage_package_makes_connections(path: Path) -> None:
    if "storage" not in path.parts:
        assert "clickhouse_connect.get_client" not in path.read_text()
        assert "chdb" not in imported(path)


def test_apache_superset_is_not_shadowed() -> None:
    assert not (PROJECT_ROOT / "superset" / "__init__.py").exists()


@pytest.mark.parametrize("path", modules("dashboards"), ids=lambda path: str(path.relative_to(PROJECT_ROOT)))
def test_only_one_folder_needs_apache_superset(path: Path) -> None:
    if "live" not in path.parts:
        assert imported(path) & {"flask", "superset", "sqlalchemy"} == set()
