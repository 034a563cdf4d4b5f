"""Makes Grafana's classic dashboards from the specifications."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from monitoring.grafana.specs import DashboardSpec, PanelSpec, PanelType, QuerySpec, RowSpec, read_specs

__all__ = ["DASHBOARDS", "SCHEMA_VERSION", "dashboard", "dashboard_json", "read_specs"]

DASHBOARDS: Final = Path(__file__).parent / "dashboards"

SCHEMA_VERSION: Final = 41
"""Grafana's version of the classic form; a newer Grafana migrates it when it loads it."""

_COLUMNS: Final = 24
_DATA_SOURCE: Final = {"type": "prometheus", "uid": "${datasource}"}
_HEIGHTS: Final[Mapping[PanelType, int]] = {
    "stat": 4,
    "timeseries": 8,
    "table": 8,
    "bargauge": 8,
    "state-timeline": 8,
}
_INSTANT: Final[frozenset[PanelType]] = frozenset({"table", "bargauge"})


def dashboard_json(spec: DashboardSpec) -> str:
    """A dashboard as the text of its file."""
    return json.dumps(dashboard(spec), indent=2, ensure_ascii=False) + "\n"


def dashboard(spec: DashboardSpec) -> Mapping[str, Any]:
    """A dashboard in Grafana's classic form."""
    return {
        "uid": spec.uid,
        "title": spec.title,
        "description": spec.description,
        "tags": ["clickstream"],
        "schemaVersion": SCHEMA_VERSION,
        "version": 1,
        "editable": False,
        "graphTooltip": 1,
        "timezone": "browser",
        "refresh": "10s",
        "time": {"from": "now-1h", "to": "now"},
        "timepicker": {"refresh_intervals": ["5s", "10s", "30s", "1m", "5m"]},
        "templating": {"list": [_data_source_variable(), _service_variable(spec.service)]},
        "annotations": {"list": []},
        "links": [_link_to_the_others()],
        "panels": _panels(spec.rows),
    }


def _data_source_variable() -> Mapping[str, Any]:
    return {
        "name": "datasource",
        "label": "Data source",
        "type": "datasource",
        "query": "prometheus",
        "refresh": 1,
        "hide": 0,
    }


def _service_variable(values: str) -> Mapping[str, Any]:
    return {
        "name": "service",
        "label": "Service",
        "type": "query",
        "datasource": _DATA_SOURCE,
        "query": {"query": values, "refId": "service"},
        "refresh": 2,
        "sort": 1,
        "multi": True,
        "includeAll": True,
        "allValue": ".*",
        "current": {"text": "All", "value": "$__all"},
        "hide": 0,
    }


def _link_to_the_others() -> Mapping[str, Any]:
    return {
        "title": "Dashboards",
        "type": "dashboards",
        "tags": ["clickstream"],
        "asDropdown": False,
        "icon": "external link",
        "includeVars": False,
        "keepTime": True,
        "targetBlank": False,
        "tooltip": "",
        "url": "",
    }


def _panels(rows: Sequence[RowSpec]) -> list[Mapping[str, Any]]:
    """Rows and their panels, from left to right and from top to bottom, numbered."""
    panels: list[Mapping[str, Any]] = []
    top = 0
    for row in rows:
        place = {"x": 0, "y": top, "w": _COLUMNS, "h": 1}
        heading = {"type": "row", "title": row.title, "collapsed": False, "panels": [], "gridPos": place}
        panels.append({"id": len(panels) + 1, **heading})
        top += 1
        left = height = 0
        for panel in row.panels:
            if left + panel.width > _COLUMNS:
                left, top, height = 0, top + height, 0
            tall = panel.height or _HEIGHTS[panel.type]
            place = {"x": left, "y": top, "w": panel.width, "h": tall}
            panels.append(_panel(len(panels) + 1, panel, place))
            left, height = left + panel.width, max(height, tall)
        top += height
    return panels


def _panel(number: int, panel: PanelSpec, place: Mapping[str, int]) -> Mapping[str, Any]:
    return {
        "id": number,
        "type": panel.type,
        "title": panel.title,
        "description": panel.description,
        "datasource": _DATA_SOURCE,
        "gridPos": place,
        "targets": [_target(index, query, panel) for index, query in enumerate(panel.queries)],
        "fieldConfig": {"defaults": _field_defaults(panel), "overrides": []},
        "options": _options(panel),
        "transformations": _transformations(panel),
    }


def _target(index: int, query: QuerySpec, panel: PanelSpec) -> Mapping[str, Any]:
    is_instant = panel.type in _INSTANT
    return {
        "refId": chr(ord("A") + index),
        "datasource": _DATA_SOURCE,
        "expr": query.expr,
        "legendFormat": query.legend,
        "instant": is_instant,
        "range": not is_instant,
        "format": "table" if panel.type == "table" else "time_series",
    }


def _field_defaults(panel: PanelSpec) -> Mapping[str, Any]:
    steps = [{"color": color, "value": value} for color, value in panel.thresholds]
    defaults: dict[str, Any] = {
        "unit": panel.unit,
        "thresholds": {"mode": "absolute", "steps": steps},
        "color": {"mode": "palette-classic" if panel.type == "timeseries" else "thresholds"},
        "mappings": _mappings(panel.mappings),
        "custom": _custom(panel),
    }
    if panel.type in {"timeseries", "bargauge"}:
        defaults["min"] = 0
    return defaults


def _mappings(words: Mapping[str, tuple[str, str]]) -> list[Mapping[str, Any]]:
    if not words:
        return []
    options = {
        value: {"text": text, "color": color, "index": index}
        for index, (value, (text, color)) in enumerate(words.items())
    }
    return [{"type": "value", "options": options}]


def _custom(panel: PanelSpec) -> Mapping[str, Any]:
    if panel.type == "timeseries":
        has_limit = len(panel.thresholds) > 1
        return {
            "lineWidth": 1,
            "fillOpacity": 30 if panel.stack else 8,
            "showPoints": "never",
            "spanNulls": False,
            "stacking": {"mode": "normal" if panel.stack else "none", "group": "A"},
            "thresholdsStyle": {"mode": "dashed" if has_limit and not panel.stack else "off"},
        }
    if panel.type == "state-timeline":
        return {"lineWidth": 0, "fillOpacity": 80, "spanNulls": False}
    return {}


def _options(panel: PanelSpec) -> Mapping[str, Any]:
    last = {"calcs": ["lastNotNull"], "fields": "", "values": False}
    if panel.type == "stat":
        return {"reduceOptions": last, "colorMode": "value", "graphMode": "area", "textMode": "value"}
    if panel.type == "bargauge":
        return {"reduceOptions": last, "orientation": "horizontal", "displayMode": "basic"}
    if panel.type == "state-timeline":
        return {"mergeValues": True, "showValue": "never", "rowHeight": 0.8, "legend": {"showLegend": False}}
    if panel.type == "table":
        return {"showHeader": True, "cellHeight": "sm"}
    return {
        "legend": {
            "displayMode": "list",
            "placement": "bottom",
            "showLegend": True,
            "calcs": ["lastNotNull"],
        },
        "tooltip": {"mode": "multi", "sort": "desc"},
    }


def _transformations(panel: PanelSpec) -> list[Mapping[str, Any]]:
    """What is made of a table's rows. All are of now, so their time says nothing."""
    if panel.type != "table":
        return []
    if panel.matrix is None:
        return [{"id": "organize", "options": {"excludeByName": {"Time": True}}}]
    row, column = panel.matrix
    options = {"rowField": row, "columnField": column, "valueField": "Value"}
    return [{"id": "groupingToMatrix", "options": options}]
