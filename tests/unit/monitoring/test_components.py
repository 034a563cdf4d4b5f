"""The watchdog's report as components."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from clickstream.settings import BrokerSettings, ClickHouseSettings, Settings, StackSettings
from monitoring.exporter.components import read_components
from monitoring.exporter.elsewhere import ForeignServer, foreign_servers
from stack.probes import Problem

REPORT = "health.json"
NOW = datetime(2025, 6, 1, 12, 0, tzinfo=UTC)


def write_report(directory: Path, checked_at: datetime) -> None:
    service = {
        "state": "failing",
        "reason": "does not answer within 5 s",
        "since": "2025-06-01T11:59:00Z",
        "restarts": 2,
        "last_failure_at": "2025-06-01T11:59:00Z",
        "last_failure_reason": "does not answer within 5 s",
        "address": "http://127.0.0.1:8000",
    }
    report = {"checked_at": checked_at.isoformat(), "services": {"api": service}}
    (directory / REPORT).write_text(json.dumps(report))


def test_a_component_is_what_the_watchdog_reports(tmp_path: Path) -> None:
    write_report(tmp_path, NOW)

    [api] = read_components(tmp_path / REPORT, NOW + timedelta(seconds=10)).components

    assert (api.name, api.state, api.reason, api.restarts) == (
        "api",
        "failing",
        "does not answer within 5 s",
        2,
    )


def test_a_watchdog_that_is_silent_leaves_the_components_unknown(tmp_path: Path) -> None:
    write_report(tmp_path, NOW)

    [api] = read_components(tmp_path / REPORT, NOW + timedelta(seconds=90)).components

    assert (api.state, api.reason) == ("unknown", "The watchdog has not reported for 90 s.")


def test_a_service_that_was_stopped_stays_so_after_its_container_has_gone(
    tmp_path: Path,
) -> None:
    write_report(tmp_path, NOW)
    path = tmp_path / REPORT
    path.write_text(path.read_text().replace('"failing"', '"stopped"'))

    [api] = read_components(path, NOW + timedelta(seconds=90)).components

    assert api.state == "stopped"


def test_before_the_first_report_there_are_no_components(tmp_path: Path) -> None:
    found = read_components(tmp_path / REPORT, NOW)

    assert found.checked_at is None
    assert found.components == []


def test_each_container_reports_on_its_own_service(tmp_path: Path) -> None:
    folder = tmp_path / "health"
    folder.mkdir()
    write_report(folder, NOW)
    (folder / REPORT).rename(folder / "api.json")
    write_report(tmp_path, NOW - timedelta(seconds=90))
    stale = (tmp_path / REPORT).read_text().replace('"api"', '"mage"')
    (tmp_path / REPORT).unlink()
    (folder / "mage.json").write_text(stale)

    found = read_components(tmp_path / REPORT, NOW)

    assert found.checked_at == NOW
    assert [(one.name, one.state) for one in found.components] == [("api", "failing"), ("mage", "unknown")]


def test_of_two_reports_on_a_component_the_newer_one_counts(tmp_path: Path) -> None:
    (tmp_path / "health").mkdir()
    write_report(tmp_path, NOW - timedelta(seconds=90))
    (tmp_path / REPORT).rename(tmp_path / "health" / "api.json")
    write_report(tmp_path, NOW)

    [api] = read_components(tmp_path / REPORT, NOW).components

    assert api.state == "failing"


@pytest.mark.parametrize(
    ("clickhouse", "broker", "servers"),
    [
        ("127.0.0.1", "", {}),
        ("localhost", "", {}),
        ("clickhouse", "redpanda:29092", {"clickhouse": "clickhouse:8123", "kafka": "redpanda:29092"}),
        ("127.0.0.1", "kafka.example.org:9092", {"kafka": "kafka.example.org:9092"}),
    ],
    ids=["neither", "neither-by-name", "containers", "broker-only"],
)
def test_servers_that_no_watchdog_keeps_are_checked(
    tmp_path: Path, clickhouse: str, broker: str, servers: dict[str, str]
) -> None:
    settings = Settings(
        stack=StackSettings(data_dir=tmp_path),
        clickhouse=ClickHouseSettings(host=clickhouse),
        broker=BrokerSettings(external_servers=broker),
    )

    found = foreign_servers(settings)

    assert {name: address for name, (_, address) in found.items()} == servers


def test_a_server_that_fails_and_recovers_keeps_its_last_failure(tmp_path: Path) -> None:
    settings = Settings(stack=StackSettings(data_dir=tmp_path))
    (tmp_path / "run" / "health").mkdir(parents=True)
    answers = iter([None, Problem("does not listen"), Problem("does not answer"), None])
    server = ForeignServer("kafka", lambda *_: next(answers), "redpanda:29092", settings)

    def look() -> tuple[str, str, str | None]:
        server.check_once()
        [found] = read_components(tmp_path / "run" / REPORT, datetime.now(UTC)).components
        return found.state, found.reason, found.last_failure_reason

    assert look() == ("up", "", None)
    assert look() == ("failing", "does not listen", "does not listen")
    assert look() == ("failing", "does not answer", "does not listen")
    assert look() == ("up", "", "does not listen")
