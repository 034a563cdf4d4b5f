"""All containers of the project do their work, each on its own volumes and a read-only file system."""

import os
import re
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path

import pytest
import yaml
from dotenv import dotenv_values

from clickstream.settings import PROJECT_ROOT
from dashboards.files import read_assets
from stack.healthy import problem_of
from stack.isolated import isolated_stack
from stack.probes import get
from stack.services import MAGE_PROJECT
from tests.integration.compose.containers import SERVICES, Containers
from tests.waiting import wait_until

SET_UPS = ("mage_setup", "superset_setup")
LASTING = tuple(
    name
    for name, one in SERVICES.items()
    if one["image"].startswith("clickstream/") and one["restart"] != "no" and not one.get("profiles")
)
REFUSED = re.compile(r"Permission denied|Read-only file system|PermissionError|Errno (13|30)")
SAMPLE = PROJECT_ROOT / "data" / "sample_events.csv"


@pytest.fixture(scope="module")
def containers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Containers]:
    """All of them, on a broker and a database of their own; those that run once have run."""
    directory = tmp_path_factory.mktemp("containers")
    with isolated_stack(directory, services=("clickhouse", "kafka")) as stack:
        settings = {name: value or "" for name, value in dotenv_values(directory / ".env").items()}
        settings["CLICKSTREAM_BROKER__EXTERNAL_SERVERS"] = f"127.0.0.1:{stack.settings.broker.port}"
        made = Containers(directory / "containers", settings)
        try:
            made.run("setup", *SET_UPS)
            yield made
        finally:
            made.stop()


@pytest.fixture(scope="module")
def running(containers: Containers) -> Containers:
    """All of them, those that last have been started."""
    for name in LASTING:
        containers.start(name)
    return containers


def rows(database: Path, statement: str) -> set[tuple[str, ...]]:
    with closing(sqlite3.connect(database)) as connection:
        return set(connection.execute(statement))


def changes(data: Path) -> Mapping[str, int]:
    return {str(path): path.stat().st_mtime_ns for path in data.rglob("*") if path.is_file()}


def test_a_container_writes_to_its_volumes_alone(containers: Containers) -> None:
    elsewhere = PROJECT_ROOT / "data" / "of-a-container"

    done = containers.start("exporter", ["-c", f"open({str(elsewhere)!r}, 'w')"])

    assert done.wait(timeout=60) != 0
    assert "Permission denied" in containers.output_of("exporter")
    assert not elsewhere.exists()


@pytest.mark.parametrize(("password", "is_healthy"), [("", True), ("of-somebody-else", False)])
def test_clickhouse_is_healthy_if_it_answers_a_statement(
    containers: Containers, password: str, is_healthy: bool
) -> None:
    program, *arguments = SERVICES["clickhouse"]["healthcheck"]["test"][1:]
    port = containers.settings["CLICKSTREAM_CLICKHOUSE__PORT"]
    variable = "CLICKSTREAM_CLICKHOUSE__READER_PASSWORD"
    command = arguments[-1].replace("$$", "$").replace("/8123", f"/{port}")

    done = subprocess.run(
        [program, *arguments[:-1], command],
        env={"PATH": os.defpath, variable: password or containers.settings[variable]},
        check=False,
        timeout=30,
    )

    assert (done.returncode == 0) is is_healthy


def test_mage_has_its_owner_and_the_schedules_of_the_pipelines(containers: Containers) -> None:
    files = MAGE_PROJECT.glob("pipelines/*/triggers.yaml")
    triggers = [trigger for file in files for trigger in yaml.safe_load(file.read_text())["triggers"]]
    declared = {
        (trigger["pipeline_uuid"], trigger["name"], trigger["status"].upper()) for trigger in triggers
    }
    database = containers.volume("mage") / "mage-ai.db"

    assert declared
    assert rows(database, "select pipeline_uuid, name, status from pipeline_schedule") == declared
    assert rows(database, "select email from user") == {("owner@localhost.localdomain",)}


def test_superset_has_its_accounts_and_every_dashboard(containers: Containers) -> None:
    slugs = {(document["slug"],) for document in read_assets().dashboards.values()}
    database = containers.volume("superset") / "superset.db"

    assert slugs
    assert rows(database, "select slug from dashboards") == slugs
    assert {("admin",), ("viewer",)} <= rows(database, "select username from ab_user")


@pytest.mark.parametrize("name", SET_UPS)
def test_a_second_time_nothing_is_done(containers: Containers, name: str) -> None:
    before = changes(containers.data_of(name))

    containers.run(name)

    assert containers.output_of(name).count("\n") <= 1
    assert changes(containers.data_of(name)) == before


@pytest.mark.parametrize("name", LASTING)
def test_a_service_becomes_healthy_and_is_refused_nothing(running: Containers, name: str) -> None:
    data = running.data_of(name)

    wait_until(lambda: problem_of(name, data) is None, f"{name} is up", seconds=240)

    assert [line for line in running.output_of(name).splitlines() if REFUSED.search(line)] == []


def test_the_exporter_says_what_each_container_uses_and_whether_the_broker_answers(
    running: Containers,
) -> None:
    url = f"http://127.0.0.1:{running.settings['CLICKSTREAM_MONITORING__EXPORTER_PORT']}/metrics"
    data = running.data_of("exporter")
    wait_until(lambda: problem_of("exporter", data) is None, "the exporter is up", seconds=240)

    def samples() -> Mapping[str, float]:
        lines = [line for line in get(url, timeout=30).splitlines() if not line.startswith("#")]
        return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines)}

    memory = {name: f'clickstream_component_memory_bytes{{component="{name}"}}' for name in LASTING}
    wait_until(
        lambda: all(samples().get(metric, 0) > 20e6 for metric in memory.values()),
        "all containers report their memory",
        seconds=240,
    )
    wait_until(lambda: samples().get('clickstream_component_up{component="kafka"}') == 1, "Kafka is up")
    assert samples()['clickstream_component_cpu_seconds_total{component="api"}'] > 0


def test_the_command_line_loads_a_file_through_the_pipelines(running: Containers) -> None:
    folder = PROJECT_ROOT / "data" / "generated"
    file = folder / f"containers-{running.data_of('cli').parent.parent.name}.csv"
    shutil.copy(SAMPLE, file)
    try:
        running.run("cli", arguments=("load", str(file)))
    finally:
        file.unlink()

    assert " added" in running.output_of("cli")
    assert [line for line in running.output_of("mage").splitlines() if REFUSED.search(line)] == []


def test_a_paused_schedule_stays_paused_when_a_new_release_replaces_the_container(
    containers: Containers, tmp_path: Path
) -> None:
    root = tmp_path / "image"
    dockerfile = (PROJECT_ROOT / "compose" / "mage" / "Dockerfile").read_text()
    for source, target in re.findall(r"^COPY (\w+) (\S+)$", dockerfile, re.MULTILINE):
        shutil.copytree(PROJECT_ROOT / source, root / target, ignore=shutil.ignore_patterns("__pycache__"))
    name = Path("pipelines", "process_events", "triggers.yaml")
    ours, theirs = root / "mage_project" / name, root / "released" / "mage_project" / name
    image = Containers(tmp_path / "containers", containers.settings, root)
    image.run("mage_setup")
    ours.write_text(ours.read_text().replace("status: active", "status: inactive", 1))
    theirs.write_text(theirs.read_text().replace("Skips while a run goes on.", "Of a new release."))

    image.run("mage_setup")

    assert "Replaced by this release; the version from here is in replaced/" in image.output_of("mage_setup")
    schedules = (
        "select name, status, description from pipeline_schedule where pipeline_uuid = 'process_events'"
    )
    assert rows(image.volume("mage") / "mage-ai.db", schedules) == {
        ("every_minute", "INACTIVE", "Of a new release."),
        ("on_request", "ACTIVE", "For the command line and the panel."),
    }
