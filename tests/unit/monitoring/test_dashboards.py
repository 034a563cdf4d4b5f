"""The dashboards: what Grafana must be able to load, and what whoever reads them at night needs."""

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import jsonschema
import pytest
import yaml

from clickstream.settings import PROJECT_ROOT
from monitoring.alerts.rules import RUNBOOK
from monitoring.grafana.dashboards import DASHBOARDS, dashboard_json
from monitoring.grafana.queries import Variables, filled_in
from monitoring.grafana.specs import read_specs
from monitoring.references import FOREIGN, metric_names, unknown_metrics
from stack.prometheus.install import Program, required

SCHEMA: Final = PROJECT_ROOT / "monitoring" / "grafana" / "dashboard.schema.json"
FILES: Final = sorted(DASHBOARDS.glob("*.json"))
LOADED: Final[dict[str, dict[str, Any]]] = {path.stem: json.loads(path.read_text()) for path in FILES}

UNITS: Final = {
    *("short", "percentunit", "s", "bytes", "Bps", "reqps", "cps", "pps", "bool_yes_no"),
}
"""Ids of Grafana's units that the page of the control panel can show as well."""

NODE_OR_OWN_METRIC: Final = re.compile(
    r"\b(?:clickstream|node|kafka|process|prometheus|scrape)_\w+|\bup\b|\bALERTS\b"
)
RATE: Final = re.compile(r"\b(?:rate|irate|increase|delta|deriv)\(")
FIXED_WINDOWS: Final = {"5m", "10m", "1h"}
"""For what changes once a minute: an interval that follows the zoom would fall between two runs."""


def panels(dashboard: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield from (panel for panel in dashboard["panels"] if panel["type"] != "row")


PANELS: Final = [
    pytest.param(panel, id=f"{name}-{panel['title']}")
    for name, dashboard in LOADED.items()
    for panel in panels(dashboard)
]
TARGETS: Final = {
    f"{name}-{panel['title']}-{target['refId']}": target
    for name, dashboard in LOADED.items()
    for panel in panels(dashboard)
    for target in panel["targets"]
}
each_dashboard = pytest.mark.parametrize("dashboard", LOADED.values(), ids=LOADED)
each_panel = pytest.mark.parametrize("panel", PANELS)
each_target = pytest.mark.parametrize("target", TARGETS.values(), ids=TARGETS)


def test_there_are_the_four_dashboards() -> None:
    assert set(LOADED) == {"service", "pipeline", "infrastructure", "components"}


@pytest.mark.parametrize("name", LOADED)
def test_the_files_are_made_from_the_specifications(name: str) -> None:
    path = DASHBOARDS / f"{name}.json"

    assert path.read_text() == dashboard_json(read_specs()[name]), "stale: run python -m monitoring.grafana"


@each_dashboard
def test_grafana_s_own_types_accept_it(dashboard: dict[str, Any]) -> None:
    jsonschema.validate(dashboard, json.loads(SCHEMA.read_text()))


def test_grafana_s_types_refuse_what_is_misspelt() -> None:
    dashboard = {**LOADED["service"], "panles": []}

    with pytest.raises(jsonschema.ValidationError, match="'panles' was unexpected"):
        jsonschema.validate(dashboard, json.loads(SCHEMA.read_text()))


def test_dashboards_have_names_of_their_own() -> None:
    assert len({dashboard["uid"] for dashboard in LOADED.values()}) == len(LOADED)
    assert len({dashboard["title"] for dashboard in LOADED.values()}) == len(LOADED)


@each_dashboard
def test_panels_have_numbers_and_titles_of_their_own(dashboard: dict[str, Any]) -> None:
    everything = dashboard["panels"]

    assert len({panel["id"] for panel in everything}) == len(everything)
    assert len({panel["title"] for panel in panels(dashboard)}) == len(list(panels(dashboard)))


@each_dashboard
def test_panels_lie_within_the_grid_and_not_upon_each_other(dashboard: dict[str, Any]) -> None:
    taken: set[tuple[int, int]] = set()
    for panel in dashboard["panels"]:
        place = panel["gridPos"]
        cells = {
            (place["x"] + column, place["y"] + row)
            for column in range(place["w"])
            for row in range(place["h"])
        }
        assert place["x"] + place["w"] <= 24, panel["title"]
        assert not cells & taken, panel["title"]
        taken |= cells


@each_dashboard
def test_data_source_and_service_are_variables_and_used(dashboard: dict[str, Any]) -> None:
    names = [variable["name"] for variable in dashboard["templating"]["list"]]

    assert names == ["datasource", "service"]
    assert any("$service" in target["expr"] for panel in panels(dashboard) for target in panel["targets"])


@each_panel
def test_a_panel_says_what_is_normal_and_has_a_unit(panel: dict[str, Any]) -> None:
    assert panel["title"]
    assert len(panel["description"].split()) >= 8
    assert panel["description"].endswith(".")
    assert panel["fieldConfig"]["defaults"]["unit"] in UNITS


@each_panel
def test_thresholds_rise_from_a_base(panel: dict[str, Any]) -> None:
    values = [step["value"] for step in panel["fieldConfig"]["defaults"]["thresholds"]["steps"]]

    assert values[0] is None
    assert values[1:] == sorted(values[1:])


@each_panel
def test_a_panel_asks_the_chosen_data_source(panel: dict[str, Any]) -> None:
    sources = [panel["datasource"], *(target["datasource"] for target in panel["targets"])]

    assert {source["uid"] for source in sources} == {"${datasource}"}


@each_panel
def test_series_that_share_a_panel_have_names(panel: dict[str, Any]) -> None:
    legends = [target["legendFormat"] for target in panel["targets"]]

    assert len(set(legends)) == len(legends)
    assert panel["type"] == "stat" or all(legends)
    assert panel["type"] != "stat" or len(legends) == 1


@each_panel
def test_a_panel_s_description_leads_to_runbook_entries_that_exist(panel: dict[str, Any]) -> None:
    entries = re.findall(r"^## (.+)$", RUNBOOK.read_text(), re.MULTILINE)

    assert set(re.findall(r"runbook (\w+)", panel["description"])) <= set(entries)


@each_target
def test_a_query_names_metrics_that_exist(target: dict[str, Any]) -> None:
    assert NODE_OR_OWN_METRIC.search(target["expr"])
    assert unknown_metrics(target["expr"]) == set()


@each_target
def test_rates_follow_the_zoom(target: dict[str, Any]) -> None:
    windows = re.findall(r"\[([^\]]+)\]", target["expr"])

    assert set(windows) <= {"$__rate_interval", *FIXED_WINDOWS}
    assert bool(windows) == bool(RATE.search(target["expr"]))


@each_target
def test_a_legend_names_labels_that_the_query_keeps(target: dict[str, Any]) -> None:
    grouped = re.findall(r"\bby \(([^)]*)\)", target["expr"])
    kept = {label.strip() for group in grouped for label in group.split(",")}

    if grouped and not re.search(r"group_(left|right)", target["expr"]):
        assert set(re.findall(r"\{\{(\w+)\}\}", target["legendFormat"])) <= kept


def test_prometheus_understands_every_query(tmp_path: Path) -> None:
    filled = Variables(service=".*", rate_interval="1m")
    rules = [
        {"record": f"q:{number}", "expr": filled_in(target["expr"], filled)}
        for number, target in enumerate(TARGETS.values())
    ]
    path = tmp_path / "queries.yaml"
    path.write_text(yaml.safe_dump({"groups": [{"name": "queries", "rules": rules}]}))

    finished = subprocess.run(
        [required(Program.PROMTOOL), "check", "rules", path], capture_output=True, text=True, check=False
    )

    assert finished.returncode == 0, finished.stderr


def test_every_metric_of_others_is_used_somewhere() -> None:
    alerts = (PROJECT_ROOT / "monitoring" / "alerts" / "alerts.yaml").read_text()
    used = {name for target in TARGETS.values() for name in metric_names(target["expr"])}

    assert {name for name in FOREIGN if name not in used and name not in alerts} == set()
