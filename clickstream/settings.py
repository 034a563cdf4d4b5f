"""Settings of every service, read from the environment and a `.env` file.

A setting is nested by service and has its unit in its name: `CLICKSTREAM_CLICKHOUSE__PORT`. The file is
the one that `CLICKSTREAM_ENV_FILE` names, else `.env` at the root of the checkout. The environment wins.
"""

import os
from functools import lru_cache
from pathlib import Path
from typing import Final, Literal

from pydantic import BaseModel, Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from clickstream.errors import ClickstreamError

PROJECT_ROOT: Final = Path(__file__).resolve().parent.parent


class StackSettings(BaseModel):
    """Where the stack without Docker keeps its data and on which address it listens."""

    name: str = Field("clickstream", description="Name of this stack; tells two stacks on one machine apart.")
    data_dir: Path = Field(Path("var"), description="Data, logs and sockets; relative to the checkout.")
    host: str = Field("127.0.0.1", description="Address that the services listen on.")
    services: str = Field(
        "all", description="Services to run, with commas between; those that they depend on run too."
    )
    start_timeout_seconds: float = Field(
        120.0, gt=0, description="How long start-up waits for the health of one service."
    )
    stop_timeout_seconds: int = Field(
        20, gt=0, description="How long a service may take to stop before it is killed."
    )
    health_check_seconds: float = Field(5.0, gt=0, description="Pause between two health checks.")
    health_timeout_seconds: float = Field(
        5.0, gt=0, description="How long a health check waits for an answer."
    )
    health_failures_before_restart: int = Field(
        6, ge=1, description="Health checks in a row that may fail before a service is restarted."
    )
    log_max_bytes: int = Field(
        10_000_000,
        ge=100_000,
        description="Size at which a service's log is rotated; three old ones are kept.",
    )
    min_free_disk_bytes: int = Field(
        1_000_000_000,
        ge=0,
        description="Free space that the disk of the data directory must have at the start.",
    )

    @property
    def data_path(self) -> Path:
        """The data directory as an absolute path; the same for every spelling of it."""
        return (PROJECT_ROOT / self.data_dir.expanduser()).resolve()


class ClickHouseSettings(BaseModel):
    """How to reach ClickHouse: the gateway of the stack, or a real server."""

    host: str = Field("127.0.0.1", description="Host of the HTTP interface.")
    port: int = Field(8123, ge=1, le=65535, description="Port of the HTTP interface.")
    database: str = Field("clickstream", description="Database of all tables and views.")
    writer_user: str = Field("clickstream_writer", description="User of the pipelines.")
    writer_password: SecretStr = Field(
        SecretStr(""), description="Password of the writing user; made at the first start."
    )
    reader_user: str = Field("clickstream_reader", description="User of the panel and of `clickstream sql`.")
    reader_password: SecretStr = Field(
        SecretStr(""), description="Password of the reading user; made at the first start."
    )
    dashboards_user: str = Field(
        "clickstream_dashboards", description="User of Superset: reads the views of its datasets only."
    )
    dashboards_password: SecretStr = Field(
        SecretStr(""), description="Password of the dashboards' user; made at the first start."
    )
    max_memory_bytes: int = Field(4_000_000_000, gt=0, description="Memory limit of the engine (gateway).")
    max_connections: int = Field(24, ge=4, description="Statements that run at once (gateway).")


class MageSettings(BaseModel):
    """The Mage server: its address and its owner's sign-in."""

    host: str = Field("127.0.0.1", description="Host of the editor and its API.")
    port: int = Field(6789, ge=1, le=65535, description="Port of the editor and its API.")
    owner_email: str = Field("owner@localhost.localdomain", description="Sign-in of the editor's owner.")
    owner_password: SecretStr = Field(
        SecretStr(""),
        description="Password of the owner; made at the first start. Mage takes it when it makes its "
        "database; later on, change it in the editor.",
    )
    scheduler_interval_seconds: float = Field(
        1.0,
        gt=0,
        description="Pause between two looks at what is due; a run that was asked for waits so long.",
    )
    jwt_secret: SecretStr = Field(
        SecretStr(""), description="Signs the sessions of the editor; made at the first start."
    )
    allowed_hosts: str = Field(
        "localhost",
        description="Names under which the editor may be called, with commas between; `*` for any. "
        "IP addresses are always allowed. Keeps pages of other sites out.",
    )


class BrokerSettings(BaseModel):
    """The message broker: Apache Kafka of the stack, or another one that speaks its protocol."""

    port: int = Field(9092, ge=1, le=65535, description="Port of the stack's own Kafka.")
    external_servers: str = Field(
        "",
        description="Another broker, such as Redpanda: `host:port`, with commas between; the stack then "
        "starts no Kafka. Empty for its own.",
    )
    topic: str = Field("clickstream.events", description="Topic of events.")
    rejected_topic: str = Field(
        "clickstream.rejected", description="Topic of events that the API refused, for the quarantine."
    )
    partitions: int = Field(3, ge=1, description="Partitions of the topic of events when it is made.")
    replicas: int = Field(1, ge=1, description="Copies of each partition when its topic is made.")
    heap_bytes: int = Field(
        402_653_184, ge=134_217_728, description="Memory for the objects of the stack's own Kafka."
    )
    retention_bytes: int = Field(
        8_589_934_592,
        ge=536_870_912,
        description="Disk space for all records of the stack's own Kafka; the oldest are deleted first.",
    )
    retention_hours: int = Field(
        168, ge=1, description="How long the stack's own Kafka keeps records, read or not."
    )
    consumer_group: str = Field(
        "clickstream-raw", description="Under this name the broker remembers what is in `raw_events`."
    )
    consumer_instance: str = Field(
        "",
        description="Name of this consumer within the group; one that is restarted under the same name goes "
        "on at once. Empty for a new name at each start.",
    )
    batch_bytes: int = Field(
        16_777_216, ge=1_000_000, description="Bytes of records that are inserted at once."
    )
    batch_records: int = Field(20_000, ge=1, description="Number of records that are inserted at once.")
    batch_wait_seconds: float = Field(
        1.0, ge=0, description="How long a batch that is not full waits for more records."
    )
    max_pause_seconds: float = Field(
        30.0, gt=0, description="Longest pause before what failed is tried again; the first one is 0.5 s."
    )
    stream_port: int = Field(9101, ge=1, le=65535, description="Port of `stream_events`' metrics.")

    @property
    def bootstrap_servers(self) -> str:
        """What clients connect to first."""
        return self.external_servers or f"127.0.0.1:{self.port}"


class ApiSettings(BaseModel):
    """The HTTP service: `POST /events`, tracker and demo shop."""

    host: str = Field("127.0.0.1", description="Host under which the other services reach it.")
    port: int = Field(8000, ge=1, le=65535, description="Port of the service.")
    max_body_bytes: int = Field(
        4_194_304, ge=1, description="Longest body of a request as it is sent, compressed or not."
    )
    max_expanded_bytes: int = Field(
        8_388_608, ge=1, le=8_388_608, description="Longest body of a request once it is decompressed."
    )
    max_events: int = Field(10_000, ge=1, le=100_000, description="Events of one request.")
    max_depth: int = Field(
        64,
        ge=20,
        le=200,
        description="Deepest nesting of objects and arrays in a body, the outermost counted.",
    )
    body_timeout_seconds: float = Field(30.0, gt=0, description="How long a client may take to send a body.")
    write_keys: Literal["auto", "on", "off"] = Field(
        "auto",
        description="Whether senders need a write key (`clickstream key create`); auto: where the stack "
        "listens elsewhere than on this machine alone.",
    )
    operator_token: SecretStr = Field(
        SecretStr(""),
        description="What operators show to follow an event (`GET /events/{id}`), which reveals personal "
        "data; made at the first start. No write key opens it, and an empty one opens nothing.",
    )
    rate_limit_per_second: float | Literal["auto"] = Field(
        "auto",
        description="Requests a second for each key and address; 0 for no limit; auto: 100 where the stack "
        "listens elsewhere than on this machine alone, else no limit.",
    )
    rate_limit_burst: int = Field(
        200, ge=1, description="Requests that a sender who was quiet may make at once."
    )
    cors_origins: str = Field(
        "http://localhost:*,http://127.0.0.1:*",
        description="Sites that may send from browsers, with commas between; `*` as a port for any port, "
        "`*` alone for any site.",
    )
    allowed_hosts: str = Field(
        "",
        description="Host names under which the service answers besides `localhost` and IP addresses, with "
        "commas between; `*.shop.example` for all names below that one, `*` for any. Keeps pages of other "
        "sites from pointing a name of theirs at the service.",
    )
    trusted_proxies: str = Field(
        "",
        description="Addresses or networks of reverse proxies, with commas between, whose X-Forwarded-For "
        "is believed.",
    )
    truncate_ip: bool = Field(
        False, description="Keep addresses to 24 bits (IPv6: 48) only, both the clients' and those sent."
    )
    delivery_timeout_seconds: float = Field(
        4.0, gt=0, le=30, description="How long the broker may take to acknowledge; then the answer is 503."
    )
    linger_ms: float = Field(
        1.0, ge=0, le=100, description="How long a record waits for others to be sent along with it."
    )
    max_waiting_bytes: int = Field(
        67_108_864, ge=16_777_216, description="Records that wait for the broker; more are answered 503."
    )
    stop_timeout_seconds: int = Field(
        10, ge=1, description="How long requests may take to end when the service is asked to stop."
    )


class GeneratorSettings(BaseModel):
    """The live generator: its control service, and how it sends."""

    host: str = Field("127.0.0.1", description="Host under which panel and command line reach its control.")
    port: int = Field(8010, ge=1, le=65535, description="Port of its control.")
    allowed_hosts: str = Field(
        "127.0.0.1,localhost",
        description="Names under which the control may be called, with commas between; `*` for any. Keeps "
        "pages of other sites out.",
    )
    people: int = Field(
        3_000, ge=20, le=1_000_000, description="People who visit; who they are depends on the seed alone."
    )
    connections: int = Field(
        4,
        ge=1,
        le=64,
        description="Batches that are sent at once for each target; as many wait, then generating waits.",
    )
    write_key: SecretStr | None = Field(
        None, description="Write key for `POST /events`, where the API asks for one."
    )
    stop_timeout_seconds: float = Field(
        5.0, ge=0, description="How long the service waits for acknowledgements when it is asked to end."
    )


class SupersetSettings(BaseModel):
    """Apache Superset: its address and who may sign in."""

    port: int = Field(8088, ge=1, le=65535, description="Port of the dashboards.")
    admin_name: str = Field("admin", description="Sign-in of who may edit dashboards.")
    admin_email: str = Field("admin@localhost.localdomain", description="Address of the same, shown only.")
    admin_password: SecretStr = Field(
        SecretStr(""),
        description="Password of the same; made at the first start. What is set here counts: each start "
        "brings it to Superset.",
    )
    viewer_name: str = Field("viewer", description="Sign-in of who sees dashboards and nothing else.")
    viewer_password: SecretStr = Field(
        SecretStr(""),
        description="Password of the same; made at the first start, brought to Superset at each.",
    )
    secret_key: SecretStr = Field(
        SecretStr(""),
        description="Signs Superset's sessions and encrypts what it stores of databases; made at the first "
        "start.",
    )
    threads: int = Field(8, ge=2, le=64, description="Requests that are answered at once.")


class PanelSettings(BaseModel):
    """The control panel: its address and its two accounts."""

    port: int = Field(8501, ge=1, le=65535, description="Port of the panel.")
    viewer_name: str = Field(
        "viewer", min_length=1, description="Account that sees everything but changes nothing."
    )
    viewer_password: SecretStr = Field(
        SecretStr(""), description="Password of the viewer; made at the first start."
    )
    operator_name: str = Field("operator", min_length=1, description="Account that may also change things.")
    operator_password: SecretStr = Field(
        SecretStr(""), description="Password of the operator; made at the first start."
    )
    cookie_secret: SecretStr = Field(
        SecretStr(""),
        description="Signs the panel's sessions; made at the first start. A new one signs everybody out.",
    )
    sign_in: bool = Field(
        True,
        description="Whether the panel asks for a password. Without it everybody who reaches the panel is an "
        "operator, so it can be turned off only when the stack listens on a loopback address.",
    )
    session_hours: float = Field(12.0, gt=0, le=720, description="How long a sign-in lasts.")
    allowed_hosts: str = Field(
        "127.0.0.1,localhost",
        description="Host names under which browsers may open the panel, separated by commas. Requests under "
        "any other name are refused, which keeps pages of other sites out.",
    )
    max_upload_bytes: int = Field(
        2_147_483_648, ge=1_000_000, description="Largest CSV file that can be uploaded to the panel."
    )
    max_jobs: int = Field(
        2, ge=1, le=16, description="Long jobs, such as writing a file, that run at the same time."
    )


class MonitoringSettings(BaseModel):
    """Metrics and alerts: the exporter, Prometheus and node exporter."""

    exporter_host: str = Field("127.0.0.1", description="Address that the exporter listens on.")
    exporter_port: int = Field(9100, ge=1, le=65535, description="Port of the exporter of pipeline metrics.")
    prometheus_host: str = Field("127.0.0.1", description="Host under which the panel reaches Prometheus.")
    prometheus_port: int = Field(9090, ge=1, le=65535, description="Port of Prometheus.")
    node_exporter_port: int = Field(
        9110, ge=1, le=65535, description="Port of node exporter: the machine's CPU, memory, disk, network."
    )
    kafka_metrics_port: int = Field(
        9404, ge=1, le=65535, description="Port of the metrics of the stack's own Kafka."
    )
    scrape_interval_seconds: int = Field(
        10, ge=1, le=60, description="How often Prometheus asks for metrics and evaluates alerts."
    )
    retention_bytes: int = Field(
        1_073_741_824,
        ge=67_108_864,
        description="Disk space for metrics in Prometheus; the oldest are deleted first.",
    )
    grafana_port: int = Field(3000, ge=1, le=65535, description="Port of Grafana, in containers.")
    grafana_password: SecretStr = Field(
        SecretStr(""),
        description="Password of Grafana's admin, in containers; made at the first start.",
    )
    alerts_file: Path = Field(
        Path("monitoring/alerts/alerts.yaml"),
        description="Alerting rules that Prometheus loads; relative to the checkout.",
    )
    warehouse_interval_seconds: float = Field(
        30.0,
        gt=0,
        description="Least pause between two readings of the ledger; longer where one takes long.",
    )


class EtlSettings(BaseModel):
    """Knobs of the pipelines."""

    batch_rows: int = Field(100_000, ge=1_000, description="Raw rows that one step holds in memory.")
    workers: int = Field(2, ge=1, description="Batches that are validated and parsed at the same time.")
    max_rows_per_run: int = Field(3_000_000, ge=1_000, description="Raw rows that one run takes at most.")
    csv_chunk_rows: int = Field(50_000, ge=1, description="CSV lines that are inserted at once.")
    future_allowed_seconds: int = Field(
        300, ge=0, description="How far `created_at` may lie after the receipt of an event."
    )


class PrivacySettings(BaseModel):
    """What keeps erased people from coming back."""

    hash_secret: SecretStr = Field(
        SecretStr(""),
        description="Key of the hashes by which erased people are recognised; made at the first start. "
        "With another one they are not recognised any more, so keep it with your backups.",
    )


class Settings(BaseSettings):
    """All settings; see `.env.example`.

    A secret that is not set is empty, so that a process can be given only those that it needs. An empty one
    opens nothing: whatever depends on a secret calls `require_secrets` first.
    """

    model_config = SettingsConfigDict(
        env_prefix="CLICKSTREAM_", env_nested_delimiter="__", extra="ignore", env_file_encoding="utf-8"
    )

    stack: StackSettings = Field(default_factory=StackSettings)
    clickhouse: ClickHouseSettings = Field(default_factory=ClickHouseSettings)
    mage: MageSettings = Field(default_factory=MageSettings)
    broker: BrokerSettings = Field(default_factory=BrokerSettings)
    api: ApiSettings = Field(default_factory=ApiSettings)
    generator: GeneratorSettings = Field(default_factory=GeneratorSettings)
    superset: SupersetSettings = Field(default_factory=SupersetSettings)
    panel: PanelSettings = Field(default_factory=PanelSettings)
    etl: EtlSettings = Field(default_factory=EtlSettings)
    privacy: PrivacySettings = Field(default_factory=PrivacySettings)
    monitoring: MonitoringSettings = Field(default_factory=MonitoringSettings)

    @property
    def etl_locks(self) -> Path:
        """Where the lock files of the pipelines lie."""
        return self.stack.data_path / "etl" / "locks"


def require_secrets(settings: Settings, section: str) -> None:
    """Refuse to go on where a secret of a section is empty.

    Raises:
        ClickstreamError: One is; names it.
    """
    for name, value in getattr(settings, section):
        if isinstance(value, SecretStr):
            required_secret(value, section, name)


def required_secret(secret: SecretStr, section: str, name: str) -> str:
    """The secret's text.

    Raises:
        ClickstreamError: It is empty; names its variable.
    """
    if value := secret.get_secret_value():
        return value
    raise ClickstreamError(
        f"CLICKSTREAM_{section.upper()}__{name.upper()} is not set.",
        hint=f"`make up` makes {env_file()} with the secrets that it lacks.",
    )


def env_file() -> Path:
    """Path of the settings file: `CLICKSTREAM_ENV_FILE`, else `.env` at the root of the checkout."""
    return PROJECT_ROOT / os.environ.get("CLICKSTREAM_ENV_FILE", ".env")


@lru_cache(maxsize=1)
def get_settings() -> Settings:
    """The settings of this process, read once.

    Raises:
        pydantic.ValidationError: A setting is missing or out of bounds.
    """
    return Settings(_env_file=env_file())
