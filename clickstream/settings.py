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

_LINK: Final = r"^(:[0-9]{1,5}|https?://[^\s<>()\[\]\\]+)?$"
"""A URL, or the port of a link alone; no signs that end a link in Markdown."""


class StackSettings(BaseModel):
    """The stack without Docker: its data directory, its address and its services."""

    name: str = Field(
        "clickstream", description="Name of this stack, to distinguish several stacks on one machine."
    )
    data_dir: Path = Field(
        Path("var"), description="Folder for data, logs and sockets; relative to the checkout."
    )
    host: str = Field("127.0.0.1", description="Address that the services listen on.")
    services: str = Field(
        "all", description="Services to run, separated by commas; services that they depend on run as well."
    )
    start_timeout_seconds: float = Field(
        120.0, gt=0, description="How long the start waits for a service to become healthy."
    )
    stop_timeout_seconds: int = Field(
        20, gt=0, description="How long a service may take to stop; then it is killed."
    )
    health_check_seconds: float = Field(5.0, gt=0, description="Pause between two health checks.")
    health_timeout_seconds: float = Field(
        5.0, gt=0, description="How long a health check waits for an answer."
    )
    health_failures_before_restart: int = Field(
        6, ge=1, description="Consecutive failed health checks after which a service is restarted."
    )
    log_max_bytes: int = Field(
        10_000_000,
        ge=100_000,
        description="Size at which a service's log is rotated; three old files are kept.",
    )
    min_free_disk_bytes: int = Field(
        1_000_000_000,
        ge=0,
        description="Free disk space that the data directory needs at the start.",
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
    writer_user: str = Field("clickstream_writer", description="User with which the pipelines write.")
    writer_password: SecretStr = Field(
        SecretStr(""), description="Password of the writing user; generated at the first start."
    )
    reader_user: str = Field(
        "clickstream_reader", description="User with which the panel and `clickstream sql` read."
    )
    reader_password: SecretStr = Field(
        SecretStr(""), description="Password of the reading user; generated at the first start."
    )
    dashboards_user: str = Field(
        "clickstream_dashboards",
        description="User of Superset; it can read only the views that its datasets need.",
    )
    dashboards_password: SecretStr = Field(
        SecretStr(""), description="Password of the user of Superset; generated at the first start."
    )
    max_memory_bytes: int = Field(
        4_000_000_000, gt=0, description="Memory limit of the engine; gateway only."
    )
    max_connections: int = Field(
        24, ge=4, description="Statements that may run at the same time; gateway only."
    )


class MageSettings(BaseModel):
    """The Mage server: its address and its owner's sign-in."""

    host: str = Field("127.0.0.1", description="Host of the editor and its API.")
    port: int = Field(6789, ge=1, le=65535, description="Port of the editor and its API.")
    owner_email: str = Field("owner@localhost.localdomain", description="Sign-in name of the editor's owner.")
    owner_password: SecretStr = Field(
        SecretStr(""),
        description="Password of the owner; generated at the first start. Mage copies it when it makes its "
        "database. To change it later, change it in the editor first.",
    )
    scheduler_interval_seconds: float = Field(
        1.0,
        gt=0,
        description="Pause between two checks for due runs; a requested run waits at most this long.",
    )
    jwt_secret: SecretStr = Field(
        SecretStr(""), description="Key that signs the editor's sessions; generated at the first start."
    )
    allowed_hosts: str = Field(
        "localhost",
        description="Host names under which the editor may be called, separated by commas; `*` allows any. "
        "IP addresses are always allowed. Requests under other names, as other sites could send, are "
        "refused.",
    )


class BrokerSettings(BaseModel):
    """The message broker: Apache Kafka of the stack, or another one that speaks its protocol."""

    port: int = Field(9092, ge=1, le=65535, description="Port of the stack's own Kafka.")
    external_servers: str = Field(
        "",
        description="Addresses of another broker, such as Redpanda: `host:port`, separated by commas. The "
        "stack then does not start Kafka. Empty: use the stack's own Kafka.",
    )
    topic: str = Field("clickstream.events", description="Topic of events.")
    rejected_topic: str = Field(
        "clickstream.rejected",
        description="Topic of events that the API has refused; the pipeline quarantines them.",
    )
    partitions: int = Field(
        3, ge=1, description="Number of partitions that the topic of events is created with."
    )
    replicas: int = Field(1, ge=1, description="Number of replicas that topics are created with.")
    heap_bytes: int = Field(402_653_184, ge=134_217_728, description="Java heap of the stack's own Kafka.")
    retention_bytes: int = Field(
        8_589_934_592,
        ge=536_870_912,
        description="Disk space for the records of the stack's own Kafka; the oldest are deleted first.",
    )
    retention_hours: int = Field(
        168,
        ge=1,
        description="How long the stack's own Kafka keeps records, even if they have not been read.",
    )
    consumer_group: str = Field(
        "clickstream-raw",
        description="Consumer group under which the broker keeps the offsets of `stream_events`.",
    )
    consumer_instance: str = Field(
        "",
        description="Name of this consumer within its group, such as `stream-1`. A consumer that restarts "
        "under the same name gets its partitions back at once. Empty: a new name at each start.",
    )
    batch_bytes: int = Field(
        16_777_216, ge=1_000_000, description="Largest batch that is inserted at once, in bytes."
    )
    batch_records: int = Field(
        20_000, ge=1, description="Largest batch that is inserted at once, in records."
    )
    batch_wait_seconds: float = Field(
        1.0,
        ge=0,
        description="How long a batch that is not full waits for more records before it is inserted.",
    )
    max_pause_seconds: float = Field(
        30.0,
        gt=0,
        description="Longest pause before a failed batch is tried again; the first pause is 0.5 s.",
    )
    stream_port: int = Field(9101, ge=1, le=65535, description="Port of the metrics of `stream_events`.")

    @property
    def bootstrap_servers(self) -> str:
        """What clients connect to first."""
        return self.external_servers or f"127.0.0.1:{self.port}"


class ApiSettings(BaseModel):
    """The HTTP service: `POST /events`, tracker and demo shop."""

    host: str = Field("127.0.0.1", description="Host under which the other services reach the API.")
    port: int = Field(8000, ge=1, le=65535, description="Port of the API.")
    max_body_bytes: int = Field(
        4_194_304, ge=1, description="Largest body of a request as sent, compressed or not."
    )
    max_expanded_bytes: int = Field(
        8_388_608, ge=1, le=8_388_608, description="Largest body of a request after decompression."
    )
    max_events: int = Field(10_000, ge=1, le=100_000, description="Largest number of events in one request.")
    max_depth: int = Field(
        64,
        ge=20,
        le=200,
        description="Deepest allowed nesting of objects and arrays in a body, including the outermost.",
    )
    body_timeout_seconds: float = Field(30.0, gt=0, description="How long a client may take to send a body.")
    write_keys: Literal["auto", "on", "off"] = Field(
        "auto",
        description="Whether senders need a write key, such as `clickstream key create shop` makes; auto: "
        "only if the stack listens on an address that other machines can reach.",
    )
    operator_token: SecretStr = Field(
        SecretStr(""),
        description="Token of operators for `GET /events/{id}`, whose answer contains personal data; "
        "generated at the first start. Write keys do not open this route. If the token is empty, nobody can "
        "use it.",
    )
    rate_limit_per_second: float | Literal["auto"] = Field(
        "auto",
        description="Requests per second allowed for each key and address; 0: no limit; auto: 100 if the "
        "stack listens on an address that other machines can reach, otherwise no limit.",
    )
    rate_limit_burst: int = Field(
        200, ge=1, description="Requests that a sender may make at once after a pause."
    )
    cors_origins: str = Field(
        "http://localhost:*,http://127.0.0.1:*",
        description="Sites whose pages may send events, such as `https://www.shop.example`, separated by "
        "commas. `*` as the port allows any port, `*` alone any site.",
    )
    allowed_hosts: str = Field(
        "",
        description="Host names under which the API answers, besides `localhost` and IP addresses, separated "
        "by commas. `*.shop.example` allows all names below `shop.example`, `*` any name. Requests under "
        "other names are refused, so another site cannot point its own name at the API.",
    )
    trusted_proxies: str = Field(
        "",
        description="Addresses or networks of the reverse proxies whose `X-Forwarded-For` is trusted, such "
        "as `127.0.0.1,10.0.0.0/8`.",
    )
    truncate_ip: bool = Field(
        False,
        description="Store only the first 24 bits of IP addresses (IPv6: 48), of clients and in events.",
    )
    delivery_timeout_seconds: float = Field(
        4.0,
        gt=0,
        le=30,
        description="How long the broker may take to acknowledge records; then the answer is 503.",
    )
    linger_ms: float = Field(
        1.0,
        ge=0,
        le=100,
        description="How long a record waits to be sent to the broker together with others.",
    )
    max_waiting_bytes: int = Field(
        67_108_864,
        ge=16_777_216,
        description="Bytes of records that may wait for the broker; beyond that the answer is 503.",
    )
    stop_timeout_seconds: int = Field(
        10, ge=1, description="How long running requests may take to finish when the API stops."
    )


class GeneratorSettings(BaseModel):
    """The live generator: the service that controls it, and how it sends."""

    host: str = Field(
        "127.0.0.1", description="Host under which the panel and the command line reach the generator."
    )
    port: int = Field(8010, ge=1, le=65535, description="Port of the generator's control.")
    allowed_hosts: str = Field(
        "127.0.0.1,localhost",
        description="Host names under which the control may be called, separated by commas; `*` allows any. "
        "Requests under other names, as other sites could send, are refused.",
    )
    people: int = Field(
        3_000,
        ge=20,
        le=1_000_000,
        description="Number of simulated visitors; the seed alone determines who they are.",
    )
    connections: int = Field(
        4,
        ge=1,
        le=64,
        description="Batches that each target gets at once; as many may wait, then the generator pauses.",
    )
    write_key: SecretStr | None = Field(
        None, description="Write key for `POST /events`, if the API requires one."
    )
    stop_timeout_seconds: float = Field(
        5.0, ge=0, description="How long the service waits for acknowledgements when it stops."
    )


class SupersetSettings(BaseModel):
    """Apache Superset: its port and its accounts."""

    port: int = Field(8088, ge=1, le=65535, description="Port of the dashboards.")
    admin_name: str = Field("admin", description="Account that may edit dashboards.")
    admin_email: str = Field(
        "admin@localhost.localdomain",
        description="E-mail address of the administrator; it is only displayed.",
    )
    admin_password: SecretStr = Field(
        SecretStr(""),
        description="Password of the administrator; generated at the first start. Each start copies it to "
        "Superset, so change it here.",
    )
    viewer_name: str = Field("viewer", description="Account that sees dashboards and nothing else.")
    viewer_password: SecretStr = Field(
        SecretStr(""),
        description="Password of the viewer; generated at the first start. Each start copies it to Superset.",
    )
    secret_key: SecretStr = Field(
        SecretStr(""),
        description="Key that signs Superset's sessions and encrypts the passwords of its databases; "
        "generated at the first start.",
    )
    threads: int = Field(8, ge=2, le=64, description="Requests that are answered at the same time.")
    allowed_hosts: str = Field(
        "localhost",
        description="Host names under which browsers may open Superset, separated by commas; `*` allows any. "
        "IP addresses are always allowed. Requests under other names, as other sites could send, are "
        "refused.",
    )


class PanelSettings(BaseModel):
    """The control panel: its address and its two accounts."""

    port: int = Field(8501, ge=1, le=65535, description="Port of the panel.")
    viewer_name: str = Field(
        "viewer", min_length=1, description="Account that sees everything but changes nothing."
    )
    viewer_password: SecretStr = Field(
        SecretStr(""), description="Password of the viewer; generated at the first start."
    )
    operator_name: str = Field("operator", min_length=1, description="Account that may also change things.")
    operator_password: SecretStr = Field(
        SecretStr(""), description="Password of the operator; generated at the first start."
    )
    cookie_secret: SecretStr = Field(
        SecretStr(""),
        description="Key that signs the panel's sessions; generated at the first start. A new key signs "
        "everybody out.",
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
        "other names, as other sites could send, are refused.",
    )
    max_upload_bytes: int = Field(
        2_147_483_648, ge=1_000_000, description="Largest CSV file that can be uploaded to the panel."
    )
    max_jobs: int = Field(
        2, ge=1, le=16, description="Long jobs, such as writing a file, that run at the same time."
    )
    api_link: str = Field(
        "",
        pattern=_LINK,
        description="Where the panel's links to the API lead: a URL such as "
        "`https://events.shop.example`, or `:8080` for another port of the host under which the panel was "
        "opened. Empty: the API's port on that host.",
    )
    mage_link: str = Field(
        "", pattern=_LINK, description="The same for links to Mage, such as `https://mage.shop.example`."
    )
    superset_link: str = Field(
        "", pattern=_LINK, description="The same for links to Superset, such as `:8088`."
    )
    prometheus_link: str = Field(
        "", pattern=_LINK, description="The same for links to Prometheus, such as `:9090`."
    )
    grafana_link: str = Field(
        "",
        pattern=_LINK,
        description="The same for links to Grafana, such as `:3000`. Empty: the panel has none.",
    )


class MonitoringSettings(BaseModel):
    """Metrics and alerts: the exporter, Prometheus and node exporter."""

    exporter_host: str = Field(
        "127.0.0.1", description="Address that the exporter listens on and at which the panel asks it."
    )
    exporter_port: int = Field(9100, ge=1, le=65535, description="Port of the exporter of pipeline metrics.")
    prometheus_host: str = Field("127.0.0.1", description="Host under which the panel reaches Prometheus.")
    prometheus_port: int = Field(9090, ge=1, le=65535, description="Port of Prometheus.")
    node_exporter_port: int = Field(
        9110,
        ge=1,
        le=65535,
        description="Port of node exporter, which reports the machine's CPU, memory, disk and network.",
    )
    kafka_metrics_port: int = Field(
        9404, ge=1, le=65535, description="Port of the metrics of the stack's own Kafka."
    )
    scrape_interval_seconds: int = Field(
        10, ge=1, le=60, description="How often Prometheus collects metrics and evaluates alerts."
    )
    allowed_hosts: str = Field(
        "localhost",
        description="Host names under which the exporter, the stream and the panel give their metrics, "
        "separated by commas; `*` allows any. IP addresses are always allowed. Requests under other names, "
        "as other sites could send, are refused.",
    )
    retention_bytes: int = Field(
        1_073_741_824,
        ge=67_108_864,
        description="Disk space for metrics in Prometheus; the oldest are deleted first.",
    )
    grafana_port: int = Field(3000, ge=1, le=65535, description="Port of Grafana; only with Docker.")
    grafana_password: SecretStr = Field(
        SecretStr(""),
        description="Password of Grafana's account `admin`, only with Docker; generated with the other "
        "secrets.",
    )
    alerts_file: Path = Field(
        Path("monitoring/alerts/alerts.yaml"),
        description="File of the alerting rules that Prometheus loads; relative to the checkout.",
    )
    warehouse_interval_seconds: float = Field(
        30.0,
        gt=0,
        description="Shortest pause between two readings of the ledger; slow readings lengthen it.",
    )


class EtlSettings(BaseModel):
    """Limits of the pipelines."""

    batch_rows: int = Field(
        100_000,
        ge=1_000,
        # Their ids are a parameter of a statement, of at most 4 MiB.
        le=190_000,
        description="Raw rows that a step holds in memory at once.",
    )
    workers: int = Field(2, ge=1, description="Batches that are validated and parsed at the same time.")
    max_rows_per_run: int = Field(
        3_000_000, ge=1_000, description="Largest number of raw rows that one run processes."
    )
    csv_chunk_rows: int = Field(50_000, ge=1, description="CSV lines that are inserted as one chunk.")
    future_allowed_seconds: int = Field(
        300, ge=0, description="How far `created_at` may be after the receipt of an event."
    )


class MartsSettings(BaseModel):
    """What the marts keep; a change takes effect when days are rebuilt."""

    own_fields: int = Field(
        50,
        ge=0,
        le=1_000,
        description="Payload fields of your own that a day keeps for breakdowns, the most frequent first; "
        "the others are one field, `(other)`.",
    )
    own_field_values: int = Field(
        50,
        ge=1,
        le=1_000,
        description="Values of such a field that a day keeps, the most frequent first; the others are "
        "one value, `(other)`.",
    )
    own_field_max_values: int = Field(
        1_000,
        ge=1,
        le=1_000,
        description="A field with more distinct values on a day than this, such as an order number, keeps "
        "none of them.",
    )
    own_fields_always: str = Field(
        "",
        description="Fields, separated by commas, such as `variant,plan`, that keep their most frequent "
        "values however many they have.",
    )


class PrivacySettings(BaseModel):
    """Erased people: how they are recognised if their events arrive again."""

    hash_secret: SecretStr = Field(
        SecretStr(""),
        description="Key of the hashes by which erased people are recognised; generated at the first start. "
        "With another key they are no longer recognised, so keep it with your backups.",
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
    marts: MartsSettings = Field(default_factory=MartsSettings)
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
