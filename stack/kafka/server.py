"""One Kafka node, broker and controller in one: its files, and the command that becomes it."""

import base64
import shutil
import subprocess
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from clickstream.settings import BrokerSettings, Settings
from clickstream.topics import MAX_SENT_BYTES
from stack.kafka.install import KafkaInstallError, jars_directory, java
from stack.paths import StackPaths
from stack.processes import free_port

# Kafka has no sign-in here, so it listens to this machine only, whatever the other services do.
HOST: Final = "127.0.0.1"
METRICS: Final = Path(__file__).with_name("metrics.yaml")
LOGGING: Final = Path(__file__).with_name("log4j2.xml")

# The oldest records are deleted a segment at a time.
SEGMENTS_A_PARTITION: Final = 8
LEAST_SEGMENT_BYTES: Final = 2 * MAX_SENT_BYTES
MOST_SEGMENT_BYTES: Final = 256 << 20


def server_properties(settings: BrokerSettings, data: Path, controller_port: int) -> Mapping[str, object]:
    """The node's configuration.

    Args:
        settings: Port and limits.
        data: Where it keeps records.
        controller_port: Any free port; only the node itself uses it.
    """
    segment_bytes, retention_bytes = _retention(settings)
    return {
        "process.roles": "broker,controller",
        "node.id": 1,
        # With the static form nothing on disk remembers the port, so each start may take another one.
        "controller.quorum.voters": f"1@{HOST}:{controller_port}",
        "listeners": f"CLIENTS://{HOST}:{settings.port},CONTROLLER://{HOST}:{controller_port}",
        "advertised.listeners": f"CLIENTS://{HOST}:{settings.port}",
        "listener.security.protocol.map": "CLIENTS:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "inter.broker.listener.name": "CLIENTS",
        "controller.listener.names": "CONTROLLER",
        "log.dirs": data,
        # One node, so one replica of everything; and few internal partitions, which are files and memory.
        "offsets.topic.replication.factor": 1,
        "offsets.topic.num.partitions": 4,
        "transaction.state.log.replication.factor": 1,
        "transaction.state.log.min.isr": 1,
        "transaction.state.log.num.partitions": 4,
        "share.coordinator.state.topic.replication.factor": 1,
        "share.coordinator.state.topic.min.isr": 1,
        "share.coordinator.state.topic.num.partitions": 4,
        "group.initial.rebalance.delay.ms": 0,
        # How long what a consumer has read is remembered while it is away.
        "offsets.retention.minutes": 60 * 24 * 90,
        # A topic that is misspelt must not spring into being.
        "auto.create.topics.enable": "false",
        "message.max.bytes": MAX_SENT_BYTES,
        "log.retention.hours": settings.retention_hours,
        "log.retention.bytes": retention_bytes,
        "log.segment.bytes": segment_bytes,
        "log.retention.check.interval.ms": 60_000,
        "num.network.threads": 2,
        "num.io.threads": 4,
        "background.threads": 4,
    }


def _retention(settings: BrokerSettings) -> tuple[int, int]:
    """Bytes of a segment and of a partition's other segments, so that all partitions fit into the setting."""
    share = settings.retention_bytes // (settings.partitions + 1)
    segment = min(MOST_SEGMENT_BYTES, max(LEAST_SEGMENT_BYTES, share // SEGMENTS_A_PARTITION))
    # Kafka keeps what a partition's size exceeds this by until it fills a whole segment.
    return segment, max(segment, share - segment)


def write_properties(path: Path, properties: Mapping[str, object]) -> None:
    """Write a file of Java properties."""
    path.write_text("".join(f"{name}={value}\n" for name, value in properties.items()), encoding="utf-8")


def java_command(
    settings: BrokerSettings, main_class: str, *arguments: str | Path, metrics_port: int | None = None
) -> Sequence[str]:
    """The command that runs one of Kafka's classes.

    Args:
        settings: Limits of memory.
        main_class: The class.
        arguments: What it is given.
        metrics_port: Where its metrics are served; None for no metrics.
    """
    options = (
        *((_metrics_agent(metrics_port),) if metrics_port else ()),
        *("-Xms64m", f"-Xmx{settings.heap_bytes}", "-XX:+UseSerialGC", "-XX:+ExitOnOutOfMemoryError"),
        # Network buffers lie outside of the heap.
        f"-XX:MaxDirectMemorySize={settings.heap_bytes // 2}",
        "-Djava.awt.headless=true",
        f"-Dlog4j2.configurationFile={LOGGING}",
    )
    return [str(java()), *options, "-cp", f"{jars_directory()}/*", main_class, *map(str, arguments)]


def _metrics_agent(port: int) -> str:
    [agent] = jars_directory().glob("jmx_prometheus_javaagent-*.jar")
    return f"-javaagent:{agent}={HOST}:{port}:{METRICS}"


def make_ready(settings: Settings) -> Sequence[str]:
    """Make the node's files if they are missing, and give the command that becomes the node.

    Raises:
        KafkaInstallError: The jars are missing, or Kafka can't make its files.
    """
    if not jars_directory().is_dir():
        raise KafkaInstallError("Kafka is not installed.", hint="Run `make up`, which downloads it.")
    home = StackPaths(settings.stack.data_path).home_of("kafka")
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    data = home / "records"
    controller_port = free_port(HOST)
    if not data.is_dir():
        _format(settings.broker, data, controller_port)
    configuration = home / "server.properties"
    write_properties(configuration, server_properties(settings.broker, data, controller_port))
    metrics_port = settings.monitoring.kafka_metrics_port
    return java_command(settings.broker, "kafka.Kafka", configuration, metrics_port=metrics_port)


def _format(settings: BrokerSettings, data: Path, controller_port: int) -> None:
    """Make the node's empty data directory, whole or not at all."""
    draft = data.with_name("records.draft")
    shutil.rmtree(draft, ignore_errors=True)
    configuration = data.with_name("format.properties")
    write_properties(configuration, server_properties(settings, draft, controller_port))
    cluster_id = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
    command = java_command(
        settings, "kafka.tools.StorageTool", "format", "-t", cluster_id, "-c", configuration
    )
    finished = subprocess.run(command, capture_output=True, text=True, check=False)
    if finished.returncode != 0:
        raise KafkaInstallError(f"Kafka can't make its data directory: {finished.stderr.strip()}")
    draft.rename(data)
    configuration.unlink()
