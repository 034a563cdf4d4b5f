"""The alerts: their rule tests, and that whatever they name exists."""

import re
import subprocess
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from clickstream.settings import PROJECT_ROOT
from monitoring.alerts.rules import ALERTS, RUNBOOK, AlertTemplateError, read_thresholds, render
from monitoring.alerts.runbook import docker_equivalents, runbook_entry
from stack.prometheus.install import Program, required

RULE_TESTS: Final = PROJECT_ROOT / "monitoring" / "tests" / "alerts.test.yaml"
RULES: Final[list[dict[str, Any]]] = [
    rule for group in yaml.safe_load(ALERTS.read_text())["groups"] for rule in group["rules"]
]
NAMES: Final = [rule["alert"] for rule in RULES]


def promtool(*arguments: str | Path) -> str:
    finished = subprocess.run(
        [required(Program.PROMTOOL), *arguments], capture_output=True, text=True, check=False
    )
    assert finished.returncode == 0, finished.stdout + finished.stderr
    return finished.stdout


def test_every_alert_fires_when_it_must_and_not_before() -> None:
    assert "SUCCESS" in promtool("test", "rules", RULE_TESTS)


@pytest.mark.parametrize("name", NAMES)
def test_every_alert_has_a_moment_before_it_fires_and_one_at_which_it_does(name: str) -> None:
    blocks = [
        block for block in yaml.safe_load(RULE_TESTS.read_text())["tests"] if block["name"].startswith(name)
    ]
    expected = [moment.get("exp_samples", []) for block in blocks for moment in block["promql_expr_test"]]

    assert [] in expected
    assert any(f'alertname="{name}"' in sample["labels"] for samples in expected for sample in samples)


def test_rule_tests_find_an_alert_that_fires_too_early(tmp_path: Path) -> None:
    (tmp_path / "alerts").mkdir()
    (tmp_path / "tests").mkdir()
    (tmp_path / "alerts" / "alerts.yaml").write_text(render({"component_down_for": "0s"}))
    (tmp_path / "tests" / "alerts.test.yaml").write_text(RULE_TESTS.read_text())

    with pytest.raises(AssertionError, match="ComponentDown"):
        promtool("test", "rules", tmp_path / "tests" / "alerts.test.yaml")


def test_the_rules_are_made_from_template_and_thresholds() -> None:
    assert ALERTS.read_text() == render(), "alerts.yaml is stale: run python -m monitoring.alerts"


def test_a_threshold_that_the_template_does_not_know_is_refused() -> None:
    with pytest.raises(AlertTemplateError, match=r"differ in lag_recrods\."):
        render({"lag_recrods": "5"})


@pytest.mark.parametrize("rule", RULES, ids=NAMES)
def test_every_alert_says_what_whoever_is_on_call_needs(rule: dict[str, Any]) -> None:
    assert rule["labels"]["severity"] in {"critical", "warning"}
    assert rule["annotations"].keys() == {"summary", "description", "runbook_url"}
    assert all(rule["annotations"].values())


def test_the_runbook_has_an_entry_for_each_alert_and_no_other() -> None:
    assert re.findall(r"^## (.+)$", RUNBOOK.read_text(), re.MULTILINE) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_a_runbook_entry_says_what_it_means_where_to_look_and_what_to_do(name: str) -> None:
    entry = runbook_entry(name)

    assert re.findall(r"^\*\*(.+?)\*\*:", entry, re.MULTILINE) == ["Means", "Look at", "Do"]
    assert "## " not in entry


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ("Run `make down`, then `make up`.", ["make up", "make down"]),
        ("`clickstream quarantine list` and `make logs SERVICE=kafka`", ["make logs", "clickstream"]),
        ("Lower `CLICKSTREAM_BROKER__HEAP_BYTES`.", ["CLICKSTREAM_BROKER__HEAP_BYTES"]),
        ("Wait.", []),
    ],
    ids=["commands", "with-arguments", "setting", "nothing"],
)
def test_an_entry_has_the_docker_equivalents_of_what_it_names(entry: str, expected: list[str]) -> None:
    lines = docker_equivalents(entry).splitlines()

    assert len(lines) == len(expected)
    assert all(line.startswith(f"- `{name}") for line, name in zip(lines, expected, strict=True))


@pytest.mark.parametrize("name", NAMES)
def test_every_command_of_an_entry_has_a_docker_equivalent(name: str) -> None:
    entry = runbook_entry(name)
    commands = set(re.findall(r"`(make \w+|clickstream|CLICKSTREAM_\w+)\b", entry))
    equivalents = docker_equivalents(entry)

    # Limits on senders are the same setting with Docker.
    named = {command for command in commands if f"- `{command}" not in equivalents}
    assert named <= {"CLICKSTREAM_API__RATE_LIMIT_PER_SECOND"}


def test_an_alert_without_an_entry_has_no_text() -> None:
    assert runbook_entry("NoSuchAlert") == ""


@pytest.mark.parametrize("rule", RULES, ids=NAMES)
def test_a_runbook_address_leads_to_the_entry(rule: dict[str, Any]) -> None:
    path, _, anchor = rule["annotations"]["runbook_url"].partition("#")

    assert PROJECT_ROOT / path == RUNBOOK
    assert anchor == rule["alert"].lower()


def test_thresholds_are_numbers_or_durations() -> None:
    assert not [text for text in read_thresholds().values() if not re.fullmatch(r"\d[\de.]*[smh]?", text)]
