"""What the containers do that run once before Superset and Mage start, in a plain directory."""

import os
import re
import shutil
import sqlite3
import subprocess
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

import pytest
import yaml

from clickstream.settings import PROJECT_ROOT
from dashboards.files import read_assets
from stack.services import MAGE_PROJECT, MAGE_PYTHON, SUPERSET_PYTHON

PYTHONS = {"mage": MAGE_PYTHON, "superset": SUPERSET_PYTHON}


def begin(service: str, data: Path, root: Path = PROJECT_ROOT) -> subprocess.Popen[str]:
    secrets = (
        *("CLICKHOUSE__DASHBOARDS_PASSWORD", "SUPERSET__ADMIN_PASSWORD", "SUPERSET__VIEWER_PASSWORD"),
        *("SUPERSET__SECRET_KEY", "MAGE__OWNER_PASSWORD", "MAGE__JWT_SECRET"),
    )
    environment = {
        "PATH": os.defpath,
        "CLICKSTREAM_ENV_FILE": str(data / "none"),
        "CLICKSTREAM_STACK__DATA_DIR": str(data),
        # Nothing listens there: neither needs the warehouse.
        "CLICKSTREAM_CLICKHOUSE__PORT": "1",
        "PYTHONPATH": str(root),
        **{f"CLICKSTREAM_{name}": f"of-this-test-{name.lower()}-0123456789" for name in secrets},
    }
    command = [str(PYTHONS[service]), "-m", "stack.container", "--set-up", service]
    return subprocess.Popen(
        command,
        cwd=root,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def finished(process: subprocess.Popen[str]) -> str:
    """What it said, if it ended well."""
    said, _ = process.communicate(timeout=600)
    assert process.returncode == 0, said
    return said


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory in which both have run."""
    directory = tmp_path_factory.mktemp("set_ups")
    processes = [begin(service, directory) for service in PYTHONS]
    for process in processes:
        finished(process)
    return directory


def rows(database: Path, statement: str) -> set[tuple[str, ...]]:
    with closing(sqlite3.connect(database)) as connection:
        return set(connection.execute(statement))


def changes(data: Path) -> Mapping[str, int]:
    return {str(path): path.stat().st_mtime_ns for path in data.rglob("*") if path.is_file()}


def test_mage_has_its_owner_and_the_schedules_of_the_pipelines(data: Path) -> None:
    files = MAGE_PROJECT.glob("pipelines/*/triggers.yaml")
    triggers = [trigger for file in files for trigger in yaml.safe_load(file.read_text())["triggers"]]
    declared = {
        (trigger["pipeline_uuid"], trigger["name"], trigger["status"].upper()) for trigger in triggers
    }
    database = data / "mage" / "mage-ai.db"

    assert declared
    assert rows(database, "select pipeline_uuid, name, status from pipeline_schedule") == declared
    assert rows(database, "select email from user") == {("owner@localhost.localdomain",)}


def test_superset_has_its_accounts_and_every_dashboard(data: Path) -> None:
    slugs = {(document["slug"],) for document in read_assets().dashboards.values()}
    database = data / "superset" / "superset.db"

    assert slugs
    assert rows(database, "select slug from dashboards") == slugs
    assert {("admin",), ("viewer",)} <= rows(database, "select username from ab_user")


@pytest.mark.parametrize("service", PYTHONS)
def test_a_second_time_nothing_is_done(data: Path, service: str) -> None:
    before = changes(data)

    said = finished(begin(service, data))

    assert said.count("\n") <= 1
    assert changes(data) == before


@pytest.fixture
def image(tmp_path: Path) -> Path:
    """What Mage's Dockerfile copies; the project that Mage runs is the volume of its first container."""
    root = tmp_path / "image"
    dockerfile = (PROJECT_ROOT / "compose" / "mage" / "Dockerfile").read_text()
    for source, target in re.findall(r"^COPY (\w+) (\S+)$", dockerfile, re.MULTILINE):
        shutil.copytree(PROJECT_ROOT / source, root / target, ignore=shutil.ignore_patterns("__pycache__"))
    return root


def test_a_paused_schedule_stays_paused_when_a_new_release_replaces_the_container(
    image: Path, tmp_path: Path
) -> None:
    ours, theirs = (
        folder / "pipelines" / "process_events" / "triggers.yaml"
        for folder in (image / "mage_project", image / "released" / "mage_project")
    )
    finished(begin("mage", tmp_path, image))
    ours.write_text(ours.read_text().replace("status: active", "status: inactive", 1))
    theirs.write_text(theirs.read_text().replace("Skips while a run goes on.", "Of a new release."))

    said = finished(begin("mage", tmp_path, image))

    assert "Replaced by this release; the version from here is in replaced/" in said
    schedules = (
        "select name, status, description from pipeline_schedule where pipeline_uuid = 'process_events'"
    )
    assert rows(tmp_path / "mage" / "mage-ai.db", schedules) == {
        ("every_minute", "INACTIVE", "Of a new release."),
        ("on_request", "ACTIVE", "For the command line and the panel."),
    }
