"""The containers run what the stack without Docker runs: services, commands, settings and health checks."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from clickstream.settings import PROJECT_ROOT, Settings
from serving.host_names import allowed_host_check
from stack.services import SERVICES, Service
from tests.unit.compose.conftest import FILE, Compose, required_variables

# What an official image does in a container, and a program of ours without Docker.
REPLACED = {"kafka": "redpanda"}
OFFICIAL = {"clickhouse", "node_exporter", "prometheus"}
"""The same program as without Docker, but in an image of its makers."""

OWN = [service for service in SERVICES if service.name not in {*OFFICIAL, *REPLACED}]
SET_UPS = {f"{service.name}_setup": service for service in SERVICES if service.set_up is not None}
"""Containers that fill a service's data directory before it starts, by name."""

ONLY_HERE = {"cli", "demo", "setup", *SET_UPS}
"""Containers that run once; without Docker they are commands."""

ONLY_IN_CONTAINERS = {"alertmanager", "grafana"}
"""What cannot be had without Docker."""


def here(name: str) -> str:
    """The container of a service of the stack."""
    return REPLACED.get(name, name)


def test_each_service_of_the_stack_has_its_container(services: Mapping[str, Any]) -> None:
    expected = {here(service.name) for service in SERVICES}

    assert set(services) - ONLY_HERE - ONLY_IN_CONTAINERS == expected


@pytest.mark.parametrize("service", OWN, ids=lambda service: service.name)
def test_it_starts_with_the_same_command(service: Service, services: Mapping[str, Any]) -> None:
    container = services[service.name]
    own = [str(word) for word in service.command(Settings())][1:]

    # `stack.container` takes command and environment from the declaration of the service.
    through_declaration = container["command"] == ["python", "-m", "stack.container", service.name]
    has_environment = bool(service.environment(with_secrets()))
    assert through_declaration or (container["command"] == ["python", *own] and not has_environment)


@pytest.mark.parametrize("service", OWN, ids=lambda service: service.name)
def test_it_is_healthy_by_the_same_question(service: Service, services: Mapping[str, Any]) -> None:
    test = services[service.name]["healthcheck"]["test"]

    is_declared = test == ["CMD", "python", "-m", "stack.healthy", service.name]
    url = f"http://127.0.0.1:{service.port(Settings())}{service.health_path}"
    assert is_declared or test[-1] == url


@pytest.mark.parametrize(("name", "service"), SET_UPS.items(), ids=SET_UPS)
def test_it_starts_on_data_that_a_container_has_prepared(
    name: str, service: Service, services: Mapping[str, Any]
) -> None:
    one_shot, lasting = services[name], services[service.name]
    volumes = {volume["target"] for volume in one_shot["volumes"]}

    assert one_shot["command"] == ["python", "-m", "stack.container", "--set-up", service.name]
    assert one_shot["restart"] == "no"
    assert lasting["depends_on"][name]["condition"] == "service_completed_successfully"
    assert (one_shot["image"], one_shot["environment"]) == (lasting["image"], lasting["environment"])
    assert f"/var/lib/clickstream/{service.name}" in volumes
    assert [volume for volume in one_shot["volumes"] if volume not in lasting["volumes"]] == []


def test_every_container_that_runs_once_for_others_is_waited_for(services: Mapping[str, Any]) -> None:
    one_shots = {name for name, one in services.items() if one["restart"] == "no" and not one.get("profiles")}
    waited_for = {name for one in services.values() for name in one.get("depends_on", {})}

    assert one_shots == {"setup", *SET_UPS}
    assert one_shots <= waited_for


@pytest.mark.parametrize("service", OWN, ids=lambda service: service.name)
def test_it_waits_for_the_same_services(service: Service, services: Mapping[str, Any]) -> None:
    waits_for = services[service.name].get("depends_on", {})

    assert {here(name) for name in service.depends_on} <= transitive(service.name, services) | set(waits_for)


@pytest.mark.parametrize("service", SERVICES, ids=lambda service: service.name)
def test_a_published_port_is_that_of_the_setting(service: Service, services: Mapping[str, Any]) -> None:
    section, name = service.port_setting
    variable = f"CLICKSTREAM_{section}__{name}".upper()
    for port in services[here(service.name)].get("ports", []):
        assert port["target"] == service.port(Settings())
        assert re.search(
            rf"127\.0\.0\.1:\$\{{{variable}:-{port['target']}\}}:{port['target']}", FILE.read_text()
        )


def test_the_panel_finds_every_service_that_it_asks(services: Mapping[str, Any]) -> None:
    environment = services["panel"]["environment"]
    hosts = {value for variable, value in environment.items() if re.search(r"_HOST$", variable)}

    assert hosts - {"0.0.0.0"} == {"api", "clickhouse", "exporter", "generator", "mage", "prometheus"}
    assert hosts - {"0.0.0.0"} <= services.keys()


def test_the_panels_links_lead_to_the_published_ports(compose: Compose, tmp_path: Path) -> None:
    published = {
        "API": "CLICKSTREAM_API__PORT",
        "MAGE": "CLICKSTREAM_MAGE__PORT",
        "SUPERSET": "CLICKSTREAM_SUPERSET__PORT",
        "PROMETHEUS": "CLICKSTREAM_MONITORING__PROMETHEUS_PORT",
        "GRAFANA": "CLICKSTREAM_MONITORING__GRAFANA_PORT",
    }
    changed = {variable: 20_000 + number for number, variable in enumerate(published.values())}
    lines = [*(f"{name}=a-secret-of-this-test" for name in required_variables())]
    path = tmp_path / ".env"
    path.write_text("\n".join([*lines, *(f"{name}={port}" for name, port in changed.items())]))
    done = compose("--env-file", str(path), "config", "--format", "json")
    assert done.returncode == 0, done.stderr

    containers = json.loads(done.stdout)["services"]
    for name, variable in published.items():
        link = containers["panel"]["environment"][f"CLICKSTREAM_PANEL__{name}_LINK"]
        assert link == f":{changed[variable]}"
        [port] = containers[name.lower()]["ports"]
        assert port["published"] == str(changed[variable])


NAMES_ALLOWED_BY = {
    "api": "API__HOST",
    "exporter": "MONITORING__ALLOWED_HOSTS",
    "generator": "GENERATOR__ALLOWED_HOSTS",
    "panel": "MONITORING__ALLOWED_HOSTS",
    "stream_events": "MONITORING__ALLOWED_HOSTS",
}
"""The setting by which each service answers to Prometheus, which calls it by the name of its container."""


def test_prometheus_may_ask_every_service_of_ours(services: Mapping[str, Any]) -> None:
    text = (PROJECT_ROOT / "monitoring" / "prometheus" / "prometheus.yaml").read_text()
    own = {service.name for service in OWN}
    targets = [host for host in re.findall(r'targets: \["(\w+:\d+)"\]', text) if host.split(":")[0] in own]

    assert {target.split(":")[0] for target in targets} == set(NAMES_ALLOWED_BY)
    for target in targets:
        name = target.split(":")[0]
        allowed = services[name]["environment"][f"CLICKSTREAM_{NAMES_ALLOWED_BY[name]}"]
        assert allowed_host_check(allowed)(target), target


@pytest.mark.parametrize(
    "package", ["api", "clickstream", "control_panel", "generator", "monitoring/exporter"]
)
def test_no_program_looks_for_another_on_its_own_machine(package: str) -> None:
    """In a container nothing else listens on a loopback address."""
    found = [
        path.name
        for path in (PROJECT_ROOT / package).rglob("*.py")
        if re.search(r"http://(?:127\.0\.0\.1|localhost):\{", path.read_text())
    ]

    assert found == []


def test_the_images_hold_the_pins_of_the_environments() -> None:
    pairs = {"project": "main", "superset": "superset"}
    for image, environment in pairs.items():
        locked = pins((PROJECT_ROOT / "requirements" / f"{environment}.txt").read_text())
        own = pins((PROJECT_ROOT / "compose" / image / "requirements.txt").read_text())
        assert own
        assert own.items() <= locked.items()


def test_the_superset_image_is_of_the_pinned_release() -> None:
    image = re.search(r"^FROM apache/superset:(\S+)", dockerfile("superset"), re.MULTILINE)
    mage = re.search(r"^FROM mageai/mageai:(\S+)", dockerfile("mage"), re.MULTILINE)

    assert image
    assert mage
    requirements = PROJECT_ROOT / "requirements"
    assert pins((requirements / "superset.txt").read_text())["apache-superset"] == image[1]
    assert pins((requirements / "mage.txt").read_text())["mage-ai"] == mage[1]


def dockerfile(image: str) -> str:
    return (PROJECT_ROOT / "compose" / image / "Dockerfile").read_text()


def pins(lock: str) -> dict[str, str]:
    return dict(re.findall(r"^([\w.-]+)(?:\[[^\]]*\])?==(\S+)", lock, re.MULTILINE))


def transitive(name: str, services: Mapping[str, Any]) -> set[str]:
    """What has been healthy once the service starts."""
    found: set[str] = set()
    waiting = [name]
    while waiting:
        needed = set(services[waiting.pop()].get("depends_on", {})) - found
        found |= needed
        waiting += needed
    return found


def with_secrets() -> Settings:
    settings = Settings()
    secrets = {"owner_password": "of-this-test", "jwt_secret": "of-this-test"}
    return settings.model_copy(
        update={"mage": settings.mage.model_validate(settings.mage.model_dump() | secrets)}
    )
