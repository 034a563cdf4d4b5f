"""`docker-compose.yml` holds what the documentation promises, as far as that shows without an engine."""

import json
import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from clickstream.settings import PROJECT_ROOT, Settings
from clickstream.topics import MAX_SENT_BYTES
from monitoring.alerts.rules import read_thresholds
from monitoring.reference import declarations_by_service
from monitoring.references import series_names
from stack.env_file import setting_entries
from stack.prometheus.install import Program, required
from tests.unit.compose.conftest import FILE, Compose, required_variables

GIB = 1 << 30
OWN_IMAGES = "clickstream/"
NOT_READ_ONLY = {
    "redpanda": "its entry point writes its configuration",
}
FIXED = {
    "STACK__.*": "Docker restarts, logs and limits containers",
    "CLICKHOUSE__.*": "the server's own files say it",
    "PRIVACY__.*": "only services that erase have the secret",
    "MONITORING__.*": "Prometheus' own file says it",
    ".*__(HOST|PORT|STREAM_PORT|EXTERNAL_SERVERS)": "containers have names, and ports of their own",
    "BROKER__(HEAP_BYTES|RETENTION_.*)": "Redpanda's own file says it",
    "BROKER__CONSUMER_INSTANCE": "only stream_events needs a name",
    "API__(WRITE_KEYS|RATE_LIMIT_PER_SECOND)": "the API alone has them, with other defaults",
    "GENERATOR__(WRITE_KEY|ALLOWED_HOSTS)": "the generator alone has them",
    "PANEL__.*_LINK": "only the panel has links",
}
"""Settings that containers do not take from `.env` as they are, with the reason."""

DOCKERFILES = sorted(PROJECT_ROOT.glob("compose/*/Dockerfile"))


def test_every_secret_must_be_set(compose: Compose) -> None:
    secrets = {entry.variable for entry in setting_entries() if entry.default is None}

    assert set(required_variables()) == secrets - {"CLICKSTREAM_PANEL__SIGN_IN_SECRET"}


@pytest.mark.parametrize("missing", required_variables())
def test_without_a_secret_nothing_starts_and_the_secret_is_named(compose: Compose, missing: str) -> None:
    others = {name: "a-secret-of-this-test" for name in required_variables() if name != missing}

    done = compose("config", "--quiet", **others)

    assert done.returncode != 0
    assert missing in done.stderr


def test_the_file_that_makes_secrets_needs_none(compose: Compose) -> None:
    done = compose("-f", "compose/secrets.yml", "config", "--quiet")

    assert (done.returncode, done.stderr) == (0, "")


def test_secrets_are_in_environments_alone(services: Mapping[str, Any]) -> None:
    """Everybody on the machine can read command lines, and an image keeps the arguments of its build."""
    for name, service in services.items():
        elsewhere = {key: value for key, value in service.items() if key != "environment"}
        assert "a-secret-of-this-test" not in json.dumps(elsewhere), name


def test_images_are_pinned(services: Mapping[str, Any]) -> None:
    foreign = [
        service["image"] for service in services.values() if not service["image"].startswith(OWN_IMAGES)
    ]
    foreign += re.findall(r"^FROM (\S+)", "\n".join(path.read_text() for path in DOCKERFILES), re.MULTILINE)

    assert foreign
    assert [image for image in foreign if not re.search(r":v?\d+\.\d+(\.\d+)?(-[\w.-]+)?$", image)] == []


def test_only_this_machine_reaches_the_doors(services: Mapping[str, Any]) -> None:
    ports = {name: service["ports"] for name, service in services.items() if service.get("ports")}

    assert ports
    assert {port["host_ip"] for published in ports.values() for port in published} == {"127.0.0.1"}


def test_only_services_with_a_door_have_a_way_out(
    services: Mapping[str, Any], project: Mapping[str, Any]
) -> None:
    assert project["networks"]["inside"]["internal"] is True
    with_doors = {name for name, service in services.items() if "doors" in service["networks"]}

    assert with_doors == {name for name, service in services.items() if service.get("ports")}


def test_no_service_gains_privileges(services: Mapping[str, Any]) -> None:
    for name, service in services.items():
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert not service.get("privileged"), name


def test_file_systems_are_read_only_but_for_those_that_say_why(services: Mapping[str, Any]) -> None:
    writable = {name for name, service in services.items() if not service.get("read_only")}

    assert writable == set(NOT_READ_ONLY)


def test_limits_add_up_to_eight_gib(services: Mapping[str, Any]) -> None:
    limits = {name: service["deploy"]["resources"]["limits"] for name, service in services.items()}
    memory = {name: int(limit["memory"]) for name, limit in limits.items()}
    always = {name: one for name, one in services.items() if not one.get("profiles")}
    # Those that run once end before the services start that wait for them.
    once = {name for name, one in always.items() if one["restart"] == "no"}
    waiting = {name for name, one in always.items() if once & one.get("depends_on", {}).keys()}

    assert all(limit.get("cpus") for limit in limits.values())
    assert 7 * GIB < sum(memory[name] for name in always.keys() - once) <= 8 * GIB
    assert sum(memory[name] for name in always.keys() - waiting) <= 8 * GIB


def test_every_lasting_service_is_restarted_watched_and_bounded_in_its_log(
    services: Mapping[str, Any],
) -> None:
    for name, service in services.items():
        assert service["logging"]["options"] == {"max-size": "10m", "max-file": "3"}, name
        if service["restart"] != "no":
            assert service["restart"] == "unless-stopped", name
            assert service["healthcheck"]["test"], name


def test_a_service_has_time_to_stop_before_it_is_killed(services: Mapping[str, Any]) -> None:
    """The timeouts of the services themselves are shorter, as without Docker."""
    settings = Settings()
    needed = max(
        settings.stack.stop_timeout_seconds,
        settings.api.stop_timeout_seconds,
        settings.generator.stop_timeout_seconds,
    )

    for name, service in services.items():
        minutes, _, seconds = service["stop_grace_period"].removesuffix("s").rpartition("m")
        assert 60 * int(minutes or 0) + int(seconds) > needed, name


def test_a_service_waits_for_the_health_of_what_it_needs(services: Mapping[str, Any]) -> None:
    for name, service in services.items():
        for needed, wait in service.get("depends_on", {}).items():
            is_one_shot = services[needed]["restart"] == "no"
            expected = "service_completed_successfully" if is_one_shot else "service_healthy"
            assert wait["condition"] == expected, f"{name} -> {needed}"


def test_every_volume_is_used_and_named(services: Mapping[str, Any], project: Mapping[str, Any]) -> None:
    used = {
        volume["source"]
        for service in services.values()
        for volume in service.get("volumes", [])
        if volume["type"] == "volume"
    }

    assert used == set(project["volumes"])


@pytest.mark.parametrize("service", ["cli", "panel"])
def test_whatever_erases_sees_the_files_that_people_have_given(
    services: Mapping[str, Any], service: str
) -> None:
    """`clickstream.privacy.files` looks for the person in them."""
    mounted = {volume["source"] for volume in services[service]["volumes"]}

    assert {"etl", "files", "panel", "uploads"} <= mounted


def documented_volumes() -> set[str]:
    """The volumes in the table of what is kept."""
    text = (PROJECT_ROOT / "docs" / "docker.md").read_text()
    section = text.partition("### What is kept")[2].partition("\n##")[0]
    return {
        name
        for row in re.findall(r"^\| (.+?) \|", section, re.MULTILINE)
        for name in re.findall(r"`(\w+)`", row)
    }


def test_the_page_says_of_every_volume_what_it_holds(project: Mapping[str, Any]) -> None:
    assert documented_volumes() == set(project["volumes"])


def test_a_backup_holds_every_volume(compose: Compose, project: Mapping[str, Any]) -> None:
    text = (PROJECT_ROOT / "docs" / "docker.md").read_text()
    [command] = re.findall(r"for volume in \$\(docker compose ([^)]+)\)", text)
    secrets = dict.fromkeys(required_variables(), "a-secret-of-this-test")

    done = compose(*command.split(), **secrets)

    assert done.returncode == 0, done.stderr
    assert set(done.stdout.split()) == set(project["volumes"])


def test_nothing_is_kept_in_a_volume_without_a_name(services: Mapping[str, Any]) -> None:
    """Docker would make a new one with each new container, and leave the old one behind."""
    unnamed = {
        (name, volume["target"])
        for name, service in services.items()
        for volume in service.get("volumes", [])
        if volume["type"] == "volume" and not volume.get("source")
    }

    assert unnamed == set()
    assert [path for path in DOCKERFILES if re.search(r"^VOLUME", path.read_text(), re.MULTILINE)] == []


def test_mounted_files_are_there(services: Mapping[str, Any]) -> None:
    for name, service in services.items():
        for volume in service.get("volumes", []):
            if volume["type"] == "bind" and not volume["source"].startswith(("/proc", "/sys", "/")):
                assert (PROJECT_ROOT / volume["source"]).exists(), name


def test_settings_that_the_file_passes_on_exist(services: Mapping[str, Any]) -> None:
    known = {entry.variable for entry in setting_entries()} | {"CLICKSTREAM_ENV_FILE"}
    passed = {
        variable
        for service in services.values()
        for variable in service.get("environment") or {}
        if variable.startswith("CLICKSTREAM_")
    }
    read = set(re.findall(r"\$\{(CLICKSTREAM_\w+)", FILE.read_text())) - {"CLICKSTREAM_VERSION"}

    assert passed | read
    assert (passed | read) - known == set()


def fixed_reason(variable: str) -> str | None:
    """Why containers do not take the setting from `.env`; None if they do."""
    for pattern, reason in FIXED.items():
        if re.fullmatch(f"CLICKSTREAM_(?:{pattern})", variable):
            return reason
    return None


@pytest.mark.parametrize("service", ["api", "cli", "mage", "panel", "stream_events", "superset"])
def test_a_setting_in_the_env_file_reaches_the_services(services: Mapping[str, Any], service: str) -> None:
    settings = {entry.variable for entry in setting_entries() if entry.default is not None}
    passed = services[service]["environment"].keys()

    assert {variable for variable in settings - passed if fixed_reason(variable) is None} == set()


def test_a_value_of_the_env_file_is_the_one_that_counts(compose: Compose, tmp_path: Path) -> None:
    secrets = "".join(f"{name}=a-secret-of-this-test\n" for name in required_variables())
    path = tmp_path / ".env"
    path.write_text(f"{secrets}CLICKSTREAM_API__ALLOWED_HOSTS=events.example.org\n")
    done = compose("--env-file", str(path), "config", "--format", "json")
    assert done.returncode == 0, done.stderr

    environment = json.loads(done.stdout)["services"]["api"]["environment"]

    assert environment["CLICKSTREAM_API__ALLOWED_HOSTS"] == "events.example.org"


def test_redpanda_takes_the_longest_record_and_loses_none_that_it_acknowledged() -> None:
    settings = yaml.safe_load((PROJECT_ROOT / "compose" / "redpanda" / "bootstrap.yaml").read_text())

    assert settings["kafka_batch_max_bytes"] == MAX_SENT_BYTES
    assert settings["auto_create_topics_enabled"] is False
    assert settings["write_caching_default"] == "disabled"


def test_the_alert_on_disk_space_comes_before_the_broker_takes_no_more_records() -> None:
    settings = yaml.safe_load((PROJECT_ROOT / "compose" / "redpanda" / "bootstrap.yaml").read_text())

    assert settings["storage_min_free_bytes"] < float(read_thresholds()["disk_free_bytes"])


def test_three_brokers_are_known_to_every_service_of_the_project(compose: Compose) -> None:
    """Also that none of them overrides what the single broker has but its name, its ports and its data."""
    files = ("-f", "docker-compose.yml", "-f", "docker-compose.brokers.yml", "--profile", "*")
    secrets = dict.fromkeys(required_variables(), "a-secret-of-this-test")
    done = compose(*files, "config", "--format", "json", **secrets)
    assert done.returncode == 0, done.stderr
    services = json.loads(done.stdout)["services"]
    brokers = {name: one for name, one in services.items() if one["image"].startswith("redpandadata/")}
    own = {name: one["environment"] for name, one in services.items() if one["image"].startswith(OWN_IMAGES)}

    assert set(brokers) == {"redpanda", "redpanda-1", "redpanda-2"}
    servers = ",".join(f"{name}:29092" for name in brokers)
    assert {one["CLICKSTREAM_BROKER__EXTERNAL_SERVERS"] for one in own.values()} == {servers}
    assert {one["CLICKSTREAM_BROKER__REPLICAS"] for one in own.values()} == {str(len(brokers))}
    assert brokers.keys() <= services["setup"]["depends_on"].keys()
    different = {"command", "ports", "volumes", "depends_on"}
    shared = [{key: one[key] for key in one.keys() - different} for one in brokers.values()]
    assert shared == [shared[0]] * len(brokers)
    for name, one in brokers.items():
        [port], options = one["ports"], one["command"]
        advertised = f"inside://{name}:29092,outside://127.0.0.1:{port['published']}"
        assert f"--advertise-kafka-addr={advertised}" in options
        assert f"--advertise-rpc-addr={name}:33145" in options
        assert port["host_ip"] == "127.0.0.1"
    for unique in ("--node-id=", "--advertise-kafka-addr="):
        assert len({word for one in brokers.values() for word in one["command"] if unique in word}) == 3


@pytest.mark.parametrize("dockerfile", DOCKERFILES, ids=lambda path: path.parent.name)
def test_dockerfiles_pass_their_linter(dockerfile: Any) -> None:
    linter = PROJECT_ROOT / ".venv" / "bin" / "hadolint"
    done = subprocess.run(
        [linter, "--config", PROJECT_ROOT / ".hadolint.yaml", dockerfile],
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.parametrize("image", ["project", "mage", "superset"])
def test_every_folder_that_a_volume_is_mounted_on_is_made_by_the_image(
    services: Mapping[str, Any], image: str
) -> None:
    """Where the image lacks the folder, the volume belongs to root, and no service of ours runs as root."""
    dockerfile = (PROJECT_ROOT / "compose" / image / "Dockerfile").read_text()
    targets = {
        volume["target"]
        for service in services.values()
        if service["image"].startswith(f"{OWN_IMAGES}{image}:")
        for volume in service.get("volumes", [])
        if volume["type"] == "volume"
    }

    made = {target.removeprefix("/opt/clickstream/") for target in targets}
    assert made
    assert [target for target in made if not re.search(rf"{re.escape(target)}(\s|$)", dockerfile)] == []


def test_prometheus_accepts_the_configuration_of_its_container(tmp_path: Path) -> None:
    """The files lie beside each other, as the container mounts them."""
    for source in ("prometheus/prometheus.yaml", "prometheus/containers.yaml", "alerts/alerts.yaml"):
        shutil.copy(PROJECT_ROOT / "monitoring" / source, tmp_path)
    promtool = required(Program.PROMTOOL)

    done = subprocess.run(
        [promtool, "check", "config", tmp_path / "prometheus.yaml"],
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert "SUCCESS" in done.stdout


def test_metrics_of_other_images_get_the_names_that_the_dashboards_ask_for() -> None:
    rule_tests = PROJECT_ROOT / "monitoring" / "tests" / "containers.test.yaml"
    rules = yaml.safe_load((PROJECT_ROOT / "monitoring" / "prometheus" / "containers.yaml").read_text())

    done = subprocess.run(
        [required(Program.PROMTOOL), "test", "rules", rule_tests], capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stdout + done.stderr
    declared = series_names(declarations_by_service())
    assert {rule["record"] for group in rules["groups"] for rule in group["rules"]} <= declared
