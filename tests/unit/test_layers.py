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


@pytest.mark.parametrize("folder", ["api", "control_panel", "generator", "monitoring", "stack"])
def test_no_server_believes_the_address_that_a_request_names(folder: str) -> None:
    """By default, uvicorn takes it from `X-Forwarded-For`, and limits by address would limit nobody."""
    calls = [
        call
        for path in modules(folder)
        for call in ast.walk(ast.parse(path.read_text()))
        if isinstance(call, ast.Call) and ast.unparse(call.func) == "uvicorn.Config"
    ]

    assert calls
    for call in calls:
        given = {keyword.arg: ast.unparse(keyword.value) for keyword in call.keywords}
        assert given["proxy_headers"] == "False"


def test_apache_superset_is_not_shadowed() -> None:
    assert not (PROJECT_ROOT / "superset" / "__init__.py").exists()


@pytest.mark.parametrize("path", modules("dashboards"), ids=lambda path: str(path.relative_to(PROJECT_ROOT)))
def test_only_one_folder_needs_apache_superset(path: Path) -> None:
    if "live" not in path.parts:
        assert imported(path) & {"flask", "superset", "sqlalchemy"} == set()
