"""The reference page, and what refers to metrics."""

import re
from pathlib import Path

import pytest
import yaml

from clickstream.settings import PROJECT_ROOT
from monitoring.alerts.rules import ALERTS
from monitoring.reference import PAGE, declarations_by_service, render
from monitoring.references import metric_names, unknown_metrics

DECLARATIONS = [one for declared in declarations_by_service().values() for one in declared]


def test_the_page_is_made_from_the_declarations() -> None:
    assert PAGE.read_text() == render(), "REFERENCE.md is stale: run python -m monitoring.reference"


def test_a_metric_is_declared_once() -> None:
    names = [declared.name for declared in DECLARATIONS]

    assert len(set(names)) == len(names)


@pytest.mark.parametrize("declared", DECLARATIONS, ids=lambda declared: declared.name)
def test_a_metric_has_help_a_base_unit_and_few_labels(declared) -> None:  # type: ignore[no-untyped-def]
    assert declared.help.endswith(".")
    assert not re.search(r"_(ms|millis|kb|mb|percent|minutes)(_|$)", declared.name)
    assert (declared.kind == "counter") == declared.name.endswith("_total")
    assert set(declared.labels) <= {
        "code", "component", "fate", "field", "kind", "method", "outcome", "partition", "pipeline", "probe",
        "request",
        "route", "source", "stage", "state", "status", "step", "table", "topic",
    }  # fmt: skip


def test_alerts_name_metrics_that_exist() -> None:
    rules = [rule for group in yaml.safe_load(ALERTS.read_text())["groups"] for rule in group["rules"]]

    assert {
        rule["alert"]: unknown_metrics(rule["expr"]) for rule in rules if unknown_metrics(rule["expr"])
    } == {}


def test_an_expression_names_its_metrics_and_not_its_labels() -> None:
    expression = (
        'sum by (node_name) (rate(clickstream_api_requests_total{status=~"up"}[2m])) / on (up) node_load1'
    )

    assert metric_names(expression) == {"clickstream_api_requests_total", "node_load1"}


def test_a_metric_that_nobody_declares_is_found() -> None:
    assert unknown_metrics("rate(clickstream_api_reqests_total[1m])") == {"clickstream_api_reqests_total"}


@pytest.mark.parametrize(
    "path", sorted((PROJECT_ROOT / "warehouse" / "metrics").glob("*.sql")), ids=lambda p: p.stem
)
def test_every_statement_of_the_exporter_is_used(path: Path) -> None:
    assert f'rows("{path.stem}")' in (PROJECT_ROOT / "monitoring" / "exporter" / "warehouse.py").read_text()
