"""Kafka's installation and configuration, without Kafka."""

import subprocess
from pathlib import Path

import pytest

from clickstream.settings import BrokerSettings
from stack.kafka.install import KafkaInstallError, checksums_of, expected_checksums, follow, java, verify
from stack.kafka.server import server_properties


def fake_java(directory: Path, version: str) -> None:
    program = directory / "java"
    program.write_text(f"#!/bin/sh\necho 'openjdk version \"{version}\" 2020-01-01' >&2\n")
    program.chmod(0o755)


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only directory in which programs are looked for."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("JAVA_HOME", raising=False)
    return tmp_path


@pytest.mark.usefixtures("path")
def test_a_missing_java_is_said_with_the_command_that_installs_it() -> None:
    with pytest.raises(KafkaInstallError, match="Java 17 or newer is missing") as caught:
        java()
    assert "apt-get install openjdk-17-jre-headless" in caught.value.hint


@pytest.mark.parametrize(("version", "is_enough"), [("17.0.15", True), ("21", True), ("11.0.2", False)])
def test_java_must_be_new_enough(path: Path, version: str, is_enough: bool) -> None:
    fake_java(path, version)

    if is_enough:
        assert java() == path / "java"
    else:
        with pytest.raises(KafkaInstallError, match=f'tells: openjdk version "{version}"'):
            java()


def test_java_home_wins(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_java(path, "11")
    home = path / "home"
    (home / "bin").mkdir(parents=True)
    fake_java(home / "bin", "17")
    monkeypatch.setenv("JAVA_HOME", str(home))

    assert java() == home / "bin" / "java"


def test_the_checksums_name_the_pinned_kafka() -> None:
    expected = expected_checksums()

    assert {"kafka_2.13-4.3.1.jar", "kafka-clients-4.3.1.jar", "kafka-tools-4.3.1.jar"} <= expected.keys()
    assert {len(checksum) for checksum in expected.values()} == {64}


@pytest.mark.parametrize("change", ["altered", "missing", "added"])
def test_jars_that_are_not_those_expected_are_refused_by_name(tmp_path: Path, change: str) -> None:
    for name in ("a.jar", "b.jar"):
        (tmp_path / name).write_text(name)
    expected = checksums_of(tmp_path)
    verify(tmp_path, expected)

    match change:
        case "altered":
            (tmp_path / "b.jar").write_text("another")
        case "missing":
            (tmp_path / "b.jar").unlink()
        case _:
            expected = {"a.jar": expected["a.jar"]}

    with pytest.raises(KafkaInstallError, match=r"is not what jars.sha256 says: b\.jar\."):
        verify(tmp_path, expected)


def test_the_download_says_how_far_it_is_before_it_has_ended(tmp_path: Path) -> None:
    (tmp_path / "plugin.jar").write_bytes(b"0" * 2_000_000)
    (tmp_path / next(iter(expected_checksums()))).write_bytes(b"0" * 1_000_000)
    said: list[str] = []

    def say(text: str) -> None:
        said.append(text)
        process.kill()

    with subprocess.Popen(["sleep", "60"]) as process:
        follow(process, tmp_path, say, every_seconds=0)

    assert said[0] == f"downloading Kafka: 3 MB, 1 of {len(expected_checksums())} files"


@pytest.mark.parametrize("retention_bytes", [1 << 29, 1 << 33, 1 << 40])
def test_all_partitions_together_keep_to_the_disk_space_that_is_set(retention_bytes: int) -> None:
    settings = BrokerSettings(retention_bytes=retention_bytes)

    properties = server_properties(settings, Path("records"), controller_port=1)

    kept, segment = int(str(properties["log.retention.bytes"])), int(str(properties["log.segment.bytes"]))
    assert (kept + segment) * (settings.partitions + 1) <= retention_bytes
    assert segment >= 32 << 20


def test_kafka_listens_to_this_machine_alone() -> None:
    properties = server_properties(BrokerSettings(port=19092), Path("records"), controller_port=19093)

    assert properties["listeners"] == "CLIENTS://127.0.0.1:19092,CONTROLLER://127.0.0.1:19093"
