"""What the stack runs. Adding a service is adding one declaration to `SERVICES`."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Literal

from clickstream.errors import ClickstreamError
from clickstream.etl.upgrade import upgrade_warehouse
from clickstream.settings import PROJECT_ROOT, Settings, env_file, require_secrets
from clickstream.topics import ensure_topics
from stack.kafka.install import ensure_installed
from stack.probes import (
    Probe,
    api_is_ready,
    clickhouse_selects,
    kafka_serves,
    mage_schedules,
    stream_moves,
)
from stack.prometheus.install import Program, find_program

MAIN_PYTHON: Final = PROJECT_ROOT / ".venv" / "bin" / "python"
MAGE_PYTHON: Final = PROJECT_ROOT / ".venv-mage" / "bin" / "python"
SUPERSET_PYTHON: Final = PROJECT_ROOT / ".venv-superset" / "bin" / "python"
MAGE_PROJECT: Final = PROJECT_ROOT / "mage_project"
ALL_SERVICES: Final = "all"
PANEL_PAGE: Final = "control panel"
"""The page to open first."""
LOOPBACK: Final = "127.0.0.1"

Say = Callable[[str], None]
"""Receives a few words about what a long step is doing."""


class UnknownServiceError(ClickstreamError):
    """No service has this name."""


def _nothing(_settings: Settings) -> Mapping[str, str]:
    return {}


def _never(_settings: Settings) -> bool:
    return False


def _always() -> bool:
    return True


@dataclass(frozen=True, kw_only=True)
class Service:
    """One process that the stack keeps running.

    Attributes:
        name: Its name in commands, tables and file names.
        command: The program and its arguments.
        port_setting: Section and name of the setting that holds its port.
        environment: Environment variables that it gets besides those of the stack.
        health_path: What answers 200 to GET while the process is alive; None if it accepts connections then.
        probe: What else it must do to be healthy: the thing that it is for (`stack.probes`).
        address: What people are shown; `{host}` and `{port}` are filled in.
        pages: What people open in a browser: a name and the path; empty if only programs use it.
        depends_on: Services that must be healthy before this one starts; they stop after it.
        prepare: A set-up step that `up` takes before each start; must be quick when there is nothing to do.
        set_up: The program, with its arguments, that fills its data directory. With Docker Compose a
            container runs it before the service's container starts; otherwise the service does so itself.
        is_private: It has no sign-in, so it listens on this machine only.
        is_elsewhere: Whether the settings name another server in its place; it is not started then.
        is_installed: Whether its program is here; an optional service is left out where it is not.
        metrics_path: Where it serves its metrics; None if it has no metrics.
        metrics_port_setting: Section and name of the setting with their port; None for the service's own.
        start_timeout_seconds: Waits so long for health; None for the stack's setting.
        stop_signal: What asks it to stop.
        stop_timeout_seconds: Then waits so long until it is killed; None for the stack's setting.
    """

    name: str
    command: Callable[[Settings], Sequence[str | Path]]
    port_setting: tuple[str, str]
    environment: Callable[[Settings], Mapping[str, str]] = _nothing
    health_path: str | None = None
    probe: Probe | None = None
    address: str = "http://{host}:{port}"
    pages: tuple[tuple[str, str], ...] = ()
    depends_on: tuple[str, ...] = ()
    prepare: Callable[[Settings, Say], None] | None = None
    set_up: Sequence[str | Path] | None = None
    is_private: bool = False
    is_elsewhere: Callable[[Settings], bool] = _never
    is_installed: Callable[[], bool] = _always
    metrics_path: str | None = None
    metrics_port_setting: tuple[str, str] | None = None
    start_timeout_seconds: float | None = None
    stop_signal: Literal["TERM", "INT", "QUIT"] = "TERM"
    stop_timeout_seconds: int | None = None

    def port(self, settings: Settings) -> int:
        """The port on which it listens."""
        return _port(self.port_setting, settings)

    def metrics_port(self, settings: Settings) -> int:
        """The port on which it serves its metrics."""
        return _port(self.metrics_port_setting or self.port_setting, settings)

    def port_settings(self) -> tuple[tuple[str, str], ...]:
        """The settings that hold its ports."""
        return (self.port_setting, *((self.metrics_port_setting,) if self.metrics_port_setting else ()))

    def listens_on(self, settings: Settings) -> str:
        """The address on which it listens; it may be a wildcard for all addresses of the machine."""
        return LOOPBACK if self.is_private else settings.stack.host

    def local_host(self, settings: Settings) -> str:
        """The host under which this machine reaches it."""
        return LOOPBACK if self.is_private else local_host(settings)

    def shown_address(self, settings: Settings) -> str:
        """The address for people."""
        return self.address.format(host=self.local_host(settings), port=self.port(settings))

    def local_address(self, settings: Settings) -> str:
        """Where this machine reaches it, as `host:port`."""
        host = self.local_host(settings)
        return f"[{host}]:{self.port(settings)}" if ":" in host else f"{host}:{self.port(settings)}"

    def health_url(self, settings: Settings) -> str | None:
        """What the health check asks; None if it only connects."""
        if self.health_path is None:
            return None
        return f"http://{self.local_address(settings)}{self.health_path}"


def _port(setting: tuple[str, str], settings: Settings) -> int:
    section, name = setting
    return int(getattr(getattr(settings, section), name))


def local_host(settings: Settings) -> str:
    """The host under which this machine reaches the services: nobody can connect to a wildcard address."""
    host = settings.stack.host
    return {"0.0.0.0": LOOPBACK, "::": "::1"}.get(host, host)  # noqa: S104 -- replaced, not listened on


def clickhouse_is_elsewhere(settings: Settings) -> bool:
    """Whether the settings name a ClickHouse server in place of the gateway."""
    return settings.clickhouse.host not in {local_host(settings), LOOPBACK, "::1", "localhost"}


def _mage_environment(settings: Settings) -> Mapping[str, str]:
    """Mage's own variables: where it keeps things, and its unsafe or talkative defaults closed."""
    require_secrets(settings, "mage")
    data = settings.stack.data_path / "mage"
    return {
        "MAGE_REPO_PATH": str(MAGE_PROJECT),
        "MAGE_DATA_DIR": str(data),
        # As Mage would choose it, but with patience: server, scheduler and runs write to the one file.
        "MAGE_DATABASE_CONNECTION_URL": f"sqlite:///{data}/mage-ai.db?check_same_thread=false&timeout=30",
        "SCHEDULER_TRIGGER_INTERVAL": str(settings.mage.scheduler_interval_seconds),
        # The kernel that runs blocks from the editor would keep its files, shared, in the home directory.
        "IPYTHONDIR": str(data / "ipython"),
        "JUPYTER_RUNTIME_DIR": str(data / "jupyter"),
        "MAGE_PUBLIC_HOST": f"http://{local_host(settings)}:{settings.mage.port}",
        "ENV": "production",
        # Sign-in: Mage would let anybody in as admin/admin, with sessions signed by a published constant.
        "REQUIRE_USER_AUTHENTICATION": "1",
        "REQUIRE_USER_PERMISSIONS": "1",
        "AUTHENTICATION_MODE": "LOCAL",
        "DEFAULT_OWNER_USERNAME": settings.mage.owner_email.partition("@")[0],
        "DEFAULT_OWNER_EMAIL": settings.mage.owner_email,
        "DEFAULT_OWNER_PASSWORD": settings.mage.owner_password.get_secret_value(),
        "JWT_SECRET": settings.mage.jwt_secret.get_secret_value(),
        "DISABLE_TERMINAL": "1",
        "HIDE_API_TRIGGER_TOKEN": "1",
        # Nothing goes out, neither questions to language models nor usage statistics.
        "ENABLE_OPEN_AI": "0",
        "ENABLE_HUGGING_FACE": "0",
        "GE_USAGE_STATS": "false",
        # The debugger of the kernels warns on standard error of what does not matter here.
        "PYDEVD_DISABLE_FILE_VALIDATION": "1",
        # Else each request is three lines in the log, and each look for due runs is one.
        "SERVER_VERBOSITY": "warning",
        "DISABLE_AUTO_BROWSER_OPEN": "1",
        "DISABLE_AUTORELOAD": "1",
    }


def _migrate_warehouse(settings: Settings, _say: Say) -> None:
    """Brings the tables and views up to date before the pipelines use them."""
    upgrade_warehouse(settings)


def _make_topics(settings: Settings, _say: Say) -> None:
    """Makes the topics that are missing, before somebody sends to them."""
    ensure_topics(settings.broker)


def _prepare_stream(settings: Settings, say: Say) -> None:
    _migrate_warehouse(settings, say)
    _make_topics(settings, say)


def _stream_environment(settings: Settings) -> Mapping[str, str]:
    """As Mage's, and a name in the consumer group: after a crash the group need not wait for the dead one."""
    name = re.sub(r"[^A-Za-z0-9_-]", "-", settings.stack.name)
    return {**_mage_environment(settings), "CLICKSTREAM_BROKER__CONSUMER_INSTANCE": name}


def _mage_command(settings: Settings) -> Sequence[str | Path]:
    # Mage takes "localhost" for every address of the machine.
    host = "127.0.0.1" if settings.stack.host == "localhost" else settings.stack.host
    return (
        *(MAGE_PYTHON, "-m", "stack.log_output", "mage", "stack.mage_server", "start", MAGE_PROJECT),
        *("--host", host, "--port", str(settings.mage.port)),
    )


SERVICES: Final = (
    Service(
        # First, because people start here. It depends on nothing: it shows what is missing instead.
        name="panel",
        command=lambda _settings: (MAIN_PYTHON, "-m", "control_panel"),
        port_setting=("panel", "port"),
        metrics_path="/metrics",
        health_path="/health",
        pages=((PANEL_PAGE, ""),),
    ),
    Service(
        name="clickhouse",
        command=lambda _settings: (MAIN_PYTHON, "-m", "stack.gateway"),
        port_setting=("clickhouse", "port"),
        metrics_path="/metrics",
        health_path="/ping",
        probe=clickhouse_selects,
        is_elsewhere=clickhouse_is_elsewhere,
    ),
    Service(
        name="kafka",
        command=lambda _settings: (MAIN_PYTHON, "-m", "stack.kafka"),
        port_setting=("broker", "port"),
        metrics_path="/metrics",
        metrics_port_setting=("monitoring", "kafka_metrics_port"),
        probe=kafka_serves,
        address="{host}:{port}",
        prepare=lambda _settings, say: ensure_installed(say),
        is_private=True,
        is_elsewhere=lambda settings: bool(settings.broker.external_servers),
    ),
    Service(
        name="api",
        command=lambda _settings: (MAIN_PYTHON, "-m", "api"),
        port_setting=("api", "port"),
        metrics_path="/metrics",
        health_path="/health/live",
        probe=api_is_ready,
        pages=(("demo shop with the tracker", "/demo"), ("API reference", "/docs")),
        depends_on=("kafka",),
        prepare=_make_topics,
    ),
    Service(
        name="mage",
        command=_mage_command,
        environment=_mage_environment,
        port_setting=("mage", "port"),
        health_path="/api/statuses",
        pages=(("pipeline editor (Mage)", ""),),
        probe=mage_schedules,
        depends_on=("clickhouse",),
        prepare=_migrate_warehouse,
        set_up=(MAGE_PYTHON, "-m", "stack.mage.set_up"),
    ),
    Service(
        name="stream_events",
        command=lambda _settings: (
            *(MAGE_PYTHON, "-m", "stack.log_output", "stream_events", "stack.mage_stream"),
        ),
        environment=_stream_environment,
        port_setting=("broker", "stream_port"),
        metrics_path="/metrics",
        probe=stream_moves,
        address="http://{host}:{port}/metrics",
        depends_on=("clickhouse", "kafka"),
        prepare=_prepare_stream,
    ),
    Service(
        name="generator",
        command=lambda _settings: (MAIN_PYTHON, "-m", "generator.service"),
        port_setting=("generator", "port"),
        metrics_path="/metrics",
        # Its state, and not only its process: the page is made from the account of what it sends.
        health_path="/status",
    ),
    Service(
        name="superset",
        # Sets itself up first, beside the start of the others: a minute at the very first start.
        command=lambda _settings: (SUPERSET_PYTHON, "-m", "dashboards", "serve"),
        port_setting=("superset", "port"),
        # Asks its metadata database; its own `/health` asks nothing.
        health_path="/health/metadata",
        pages=(("dashboards (Superset)", ""),),
        depends_on=("clickhouse",),
        prepare=_migrate_warehouse,
        set_up=(SUPERSET_PYTHON, "-m", "dashboards", "import"),
        start_timeout_seconds=300,
    ),
    Service(
        name="exporter",
        command=lambda _settings: (MAIN_PYTHON, "-m", "monitoring.exporter"),
        port_setting=("monitoring", "exporter_port"),
        metrics_path="/metrics",
        # Without the others it lives on and says what it can't see.
        health_path="/health/live",
        address="http://{host}:{port}/metrics",
        is_private=True,
    ),
    Service(
        name="node_exporter",
        command=lambda _settings: (MAIN_PYTHON, "-m", "stack.prometheus", "node-exporter"),
        port_setting=("monitoring", "node_exporter_port"),
        metrics_path="/metrics",
        health_path="/",
        address="http://{host}:{port}/metrics",
        is_private=True,
        is_installed=lambda: find_program(Program.NODE_EXPORTER) is not None,
    ),
    Service(
        name="prometheus",
        command=lambda _settings: (MAIN_PYTHON, "-m", "stack.prometheus", "run"),
        port_setting=("monitoring", "prometheus_port"),
        metrics_path="/metrics",
        health_path="/-/ready",
        pages=(("metrics and alerts (Prometheus)", ""),),
        is_private=True,
        is_installed=lambda: find_program(Program.PROMETHEUS) is not None,
    ),
)


def service_named(name: str, among: Iterable[Service] = SERVICES) -> Service:
    """The service of this name.

    Raises:
        UnknownServiceError: No service has this name; the message lists those that exist.
    """
    known = {service.name: service for service in among}
    if name not in known:
        raise UnknownServiceError(f"There is no service {name!r}; the services are {', '.join(known)}.")
    return known[name]


def people_addresses(settings: Settings) -> list[tuple[str, str]]:
    """The pages for people, each a name and its address; what only programs use is left out."""
    return [
        (name, f"{service.shown_address(settings)}{path}")
        for service in chosen_services(settings)
        for name, path in service.pages
    ]


def panel_hint(settings: Settings) -> str:
    """Where the control panel is and how to sign in; empty if this stack does not run it."""
    panel = next((service for service in chosen_services(settings) if service.name == "panel"), None)
    if panel is None:
        return ""
    accounts = (
        f"sign in as {settings.panel.operator_name} or, to look only, {settings.panel.viewer_name}"
        if settings.panel.sign_in
        else "no sign-in is needed"
    )
    return f"Open the {PANEL_PAGE}: {panel.shown_address(settings)} ({accounts})."


def sign_in_hint(settings: Settings) -> str:
    """Which account to use for each service, in a sentence."""
    superset = settings.superset
    return (
        f"Sign in to Mage as {settings.mage.owner_email}, to Superset as {superset.viewer_name} or, to edit, "
        f"{superset.admin_name}; the passwords are in {env_file()}."
    )


def chosen_services(settings: Settings) -> tuple[Service, ...]:
    """The services that this stack runs: those that the setting names, each after those that it needs.

    One that the settings place elsewhere, or whose program is optional and missing, is left out, and nothing
    waits for it.

    Raises:
        UnknownServiceError: The setting `stack.services` names one that does not exist.
    """
    setting = settings.stack.services
    names = (
        [service.name for service in SERVICES]
        if setting == ALL_SERVICES
        else setting.replace(",", " ").split()
    )
    ordered: dict[str, Service] = {}

    def add(name: str) -> None:
        service = service_named(name)
        if service.is_elsewhere(settings) or not service.is_installed():
            return
        for dependency in service.depends_on:
            add(dependency)
        here = tuple(dependency for dependency in service.depends_on if dependency in ordered)
        ordered[name] = replace(service, depends_on=here)

    for name in names:
        add(name)
    return tuple(ordered.values())
