"""Prometheus as a service: its configuration, and how it is found and fetched."""

import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from clickstream.settings import PROJECT_ROOT, Settings
from stack.prometheus import install
from stack.prometheus.configuration import (
    node_exporter_command,
    prometheus_command,
    prometheus_config,
    write_files,
)
from stack.prometheus.install import Program, PrometheusMissingError, ensure_installed, find_program, required
from stack.services import SERVICES, chosen_services


def placed(settings: Settings, directory: Path) -> Settings:
    return settings.model_copy(update={"stack": settings.stack.model_copy(update={"data_dir": directory})})


def test_prometheus_accepts_its_configuration(settings: Settings, tmp_path: Path) -> None:
    path = write_files(placed(settings, tmp_path))

    finished = subprocess.run(
        [required(Program.PROMTOOL), "check", "config", path], capture_output=True, text=True, check=False
    )

    assert finished.returncode == 0, finished.stderr
    assert "SUCCESS" in finished.stdout


def test_prometheus_in_containers_asks_the_same_services() -> None:
    path = PROJECT_ROOT / "monitoring" / "prometheus" / "prometheus.yaml"
    in_containers: Any = yaml.safe_load(path.read_text())
    jobs = {job["job_name"] for job in in_containers["scrape_configs"]}

    missing = {service.name for service in SERVICES if service.metrics_path} - jobs

    assert missing == set()


def test_every_service_with_metrics_is_asked_on_its_own_port(settings: Settings) -> None:
    config: Any = prometheus_config(SERVICES, settings)

    targets = {job["job_name"]: job["static_configs"][0]["targets"] for job in config["scrape_configs"]}

    assert targets["kafka"] == [f"127.0.0.1:{settings.monitoring.kafka_metrics_port}"]
    assert targets.keys() == {service.name for service in SERVICES if service.metrics_path}


def test_what_has_no_sign_in_listens_to_this_machine_alone(settings: Settings, tmp_path: Path) -> None:
    commands = (prometheus_command(settings, tmp_path / "prometheus.yaml"), node_exporter_command(settings))

    addresses = [command[command.index("--web.listen-address") + 1] for command in commands]

    assert [address.partition(":")[0] for address in addresses] == ["127.0.0.1", "127.0.0.1"]


def test_the_space_for_metrics_is_bounded(settings: Settings, tmp_path: Path) -> None:
    command = prometheus_command(settings, tmp_path / "prometheus.yaml")

    bound = command[command.index("--storage.tsdb.retention.size") + 1]

    assert bound == f"{settings.monitoring.retention_bytes}B"


@pytest.fixture
def _nothing_installed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setattr(install, "HOME", tmp_path / "fetched")


@pytest.mark.usefixtures("_nothing_installed")
def test_the_stack_works_without_prometheus(settings: Settings) -> None:
    names = {service.name for service in chosen_services(settings)}

    assert find_program(Program.PROMETHEUS) is None
    assert names == {service.name for service in SERVICES} - {"prometheus", "node_exporter"}


@pytest.mark.usefixtures("_nothing_installed")
def test_where_it_cannot_be_fetched_one_line_says_what_to_install() -> None:
    with pytest.raises(PrometheusMissingError, match="are missing, and there is no apt-get") as raised:
        ensure_installed(print)

    assert "sudo apt-get install prometheus prometheus-node-exporter" in raised.value.hint


@pytest.mark.usefixtures("_nothing_installed")
def test_a_download_that_fails_leaves_nothing_behind(tmp_path: Path) -> None:
    for name in ("apt-get", "dpkg-deb"):
        tool = tmp_path / "bin" / name
        tool.parent.mkdir(exist_ok=True)
        tool.write_text("#!/bin/sh\necho 'E: no network' >&2\nexit 100\n")
        tool.chmod(0o755)

    with pytest.raises(PrometheusMissingError, match="apt-get failed: E: no network"):
        ensure_installed(print)

    assert list((tmp_path / "fetched").iterdir()) == []
