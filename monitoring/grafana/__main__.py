"""`python -m monitoring.grafana` writes dashboards/*.json; run it after a change of a specification."""

from monitoring.grafana.dashboards import DASHBOARDS, dashboard_json, read_specs

if __name__ == "__main__":
    for name, spec in read_specs().items():
        (DASHBOARDS / f"{name}.json").write_text(dashboard_json(spec), encoding="utf-8")
