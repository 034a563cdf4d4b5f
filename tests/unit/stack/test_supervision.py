"""The supervisor's configuration."""

import configparser
from pathlib import Path

from clickstream.settings import Settings
from stack.paths import StackPaths
from stack.services import SERVICES
from stack.supervision import WATCHDOG, render_config


def parsed(settings: Settings, data: Path) -> configparser.ConfigParser:
    parser = configparser.ConfigParser(interpolation=None)
    parser.read_string(render_config(StackPaths(data), SERVICES, settings))
    return parser


def test_every_service_and_the_watchdog_are_programs(settings: Settings, tmp_path: Path) -> None:
    config = parsed(settings, tmp_path)

    programs = [
        section.removeprefix("program:") for section in config.sections() if section.startswith("program:")
    ]
    assert programs == [*(service.name for service in SERVICES), WATCHDOG]


def test_no_secret_is_written(settings: Settings, tmp_path: Path) -> None:
    config = render_config(StackPaths(tmp_path / "data"), SERVICES, settings)

    assert [value for value in ("writer-secret", "owner-secret", "signing-secret") if value in config] == []


def test_control_is_a_socket_and_no_port(settings: Settings, tmp_path: Path) -> None:
    config = parsed(settings, tmp_path)

    assert config["unix_http_server"]["chmod"] == "0600"
    assert "inet_http_server" not in config


def test_logs_are_rotated(settings: Settings, tmp_path: Path) -> None:
    config = parsed(settings, tmp_path)

    for section in config.sections():
        if section.startswith("program:"):
            assert config[section].getint("stdout_logfile_maxbytes") == settings.stack.log_max_bytes
            assert config[section].getint("stdout_logfile_backups") == 3


def test_percent_signs_in_paths_are_no_expansions(settings: Settings) -> None:
    config = parsed(settings, Path("/srv/100%"))

    assert config["supervisord"]["logfile"] == "/srv/100%%/logs/supervisor.log"
