"""Charts: a title, a dataset, and the settings of its kind of chart."""

import hashlib
import json
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import yaml

from dashboards.databases import VERSION
from dashboards.fields import Field, refuse_unknown, required, to_file, to_superset
from dashboards.files import AssetError, Document
from dashboards.identity import asset_uuid
from dashboards.query_context import query_context

_FIELDS: Final = (
    Field("title", "slice_name"),
    Field("description", "description"),
    Field("viz_type", "viz_type"),
    Field("cache_timeout", "cache_timeout"),
    Field("certified_by", "certified_by"),
    Field("certification_details", "certification_details"),
)
_KEYS: Final = (*(field.name for field in _FIELDS), "dataset", "params")
# What a browser saved for charts of Superset 6.1.0 when nothing was changed.
_DEFAULTS_FILE: Final = Path(__file__).with_name("control_defaults.yaml")
# Superset puts these into a chart's settings; they are derived from other values, or belong to one session.
_GENERATED_PARAMS: Final = frozenset(
    {"datasource", "viz_type", "slice_id", "slice_name", "dashboards", "dashboardId", "url_params", "force"}
    | {"result_format", "result_type", "label_colors", "shared_label_colors", "map_label_colors"}
    | {"color_scheme_domain", "own_color_scheme", "dashboard_color_scheme", "native_filters", "extra_filters"}
    | {"chart_id", "uuid", "temporal_columns_lookup"}
)
# Omitted when empty, which is the default.
_EMPTY_PARAMS: Final = frozenset({"annotation_layers", "extra_form_data", "adhoc_filters", "groupby"})
# Of ad-hoc filters and metrics, which do not belong to a column or dataset.
_ADHOC_DEFAULTS: Final[Mapping[str, Any]] = {
    "isExtra": False,
    "isNew": False,
    "datasourceWarning": False,
    "sqlExpression": None,
    "aggregate": None,
    "column": None,
    "comparator": None,
    "operator": None,
    "operatorId": None,
    "subject": None,
    "hasCustomLabel": False,
    "label": None,
}
_OPERATOR_IDS: Final[Mapping[str, str]] = {
    "==": "EQUALS",
    "!=": "NOT_EQUALS",
    ">": "GREATER_THAN",
    ">=": "GREATER_THAN_OR_EQUAL",
    "<": "LESS_THAN",
    "<=": "LESS_THAN_OR_EQUAL",
    "IN": "IN",
    "NOT IN": "NOT_IN",
    "LIKE": "LIKE",
    "ILIKE": "ILIKE",
    "IS NULL": "IS_NULL",
    "IS NOT NULL": "IS_NOT_NULL",
    "TEMPORAL_RANGE": "TEMPORAL_RANGE",
}


def compile_chart(slug: str, document: Document) -> Document:
    """The chart in Superset's form.

    Raises:
        AssetError: Something is missing or not known.
    """
    where = f"charts/{slug}.yaml"
    refuse_unknown(where, document, _KEYS)
    for name in ("title", "viz_type", "dataset"):
        required(where, document, name)
    params = document.get("params", {})
    if generated := sorted(_GENERATED_PARAMS & params.keys()):
        raise AssetError(f"{where}: {', '.join(generated)} can't be set in params.")
    settings = _with_adhoc_ids(params)
    return {
        **to_superset(_FIELDS, document),
        "params": {**settings, "viz_type": document["viz_type"]},
        "query_context": query_context(document["viz_type"], settings),
        "uuid": asset_uuid("charts", slug),
        "dataset_uuid": asset_uuid("datasets", document["dataset"]),
        "version": VERSION,
    }


def decompile_chart(exported: Document, dataset: str, before: Document | None = None) -> Document:
    """The chart as a file has it.

    Saving a chart, the browser writes down every setting that its kind of chart has. One that is as by
    default and that the file did not have `before` is left out, so that a diff shows what was changed.
    """
    params = exported.get("params") or {}
    written = (before or {}).get("params", {})
    defaults = _control_defaults(exported["viz_type"])
    kept = {
        name: _without_adhoc_ids(value)
        for name, value in sorted(params.items())
        if name not in _GENERATED_PARAMS
        and not (name in _EMPTY_PARAMS and not value)
        and not (name not in written and name in defaults and defaults[name] == value)
    }
    document = to_file(_FIELDS, exported)
    return {
        "title": document.pop("title"),
        **({"description": document.pop("description")} if "description" in document else {}),
        "dataset": dataset,
        **document,
        **({"params": kept} if kept else {}),
    }


@lru_cache(maxsize=1)
def _all_control_defaults() -> Mapping[str, Mapping[str, Any]]:
    defaults: Mapping[str, Mapping[str, Any]] = yaml.safe_load(_DEFAULTS_FILE.read_text(encoding="utf-8"))
    return defaults


def _control_defaults(viz_type: str) -> Mapping[str, Any]:
    """What the browser takes for settings that a chart of this kind does not have."""
    defaults = _all_control_defaults()
    return {**defaults["every"], **defaults.get(viz_type, {})}


def _with_adhoc_ids(value: Any) -> Any:
    """Fill in what Superset's editor wants of filters and metrics, with the same ids each time."""
    if isinstance(value, list):
        return [_with_adhoc_ids(item) for item in value]
    if not isinstance(value, dict):
        return value
    filled = {name: _with_adhoc_ids(item) for name, item in value.items()}
    if _is_filter(value):
        operator = str(value.get("operator"))
        return {
            "clause": "WHERE",
            "expressionType": "SQL" if "sqlExpression" in value else "SIMPLE",
            **({"operatorId": _OPERATOR_IDS[operator]} if operator in _OPERATOR_IDS else {}),
            "filterOptionName": f"filter_{_fingerprint(value)}",
            **filled,
        }
    if _is_metric(value):
        return {
            "expressionType": "SQL" if "sqlExpression" in value else "SIMPLE",
            "optionName": f"metric_{_fingerprint(value)}",
            "hasCustomLabel": "label" in value,
            **filled,
        }
    return filled


def _without_adhoc_ids(value: Any) -> Any:
    """The opposite."""
    if isinstance(value, list):
        return [_without_adhoc_ids(item) for item in value]
    if not isinstance(value, dict):
        return value
    kept = {name: _without_adhoc_ids(item) for name, item in value.items()}
    if "filterOptionName" in value or _is_filter(value):
        if kept.get("operatorId") == _OPERATOR_IDS.get(str(kept.get("operator"))):
            kept.pop("operatorId", None)
        return _plain(kept, {} if kept.get("expressionType") == "SQL" else {"clause": "WHERE"})
    if "optionName" in value or _is_metric(value):
        if not kept.pop("hasCustomLabel", True):
            kept.pop("label", None)
        if isinstance(kept.get("column"), dict):
            kept["column"] = {"column_name": kept["column"]["column_name"]}
        return _plain(kept, {})
    return kept


def _plain(value: Document, more_defaults: Mapping[str, Any]) -> Document:
    """Without ids and defaults; the type of the expression shows in its other keys."""
    defaults = {**_ADHOC_DEFAULTS, **more_defaults}
    is_sql = value.get("expressionType") == "SQL"
    gone = {"filterOptionName", "optionName", "expressionType"}
    if is_sql:
        gone |= {"column", "aggregate", "subject", "operator", "operatorId", "comparator"}
    else:
        gone |= {"sqlExpression"}
    return {
        name: item
        for name, item in sorted(value.items(), key=lambda pair: _reading_order(pair[0]))
        if name not in gone and not (name in defaults and item == defaults[name])
    }


def _reading_order(name: str) -> tuple[int, str]:
    order = ("clause", "subject", "operator", "comparator", "label", "aggregate", "column", "sqlExpression")
    return (order.index(name) if name in order else len(order), name)


def _is_filter(value: Mapping[str, Any]) -> bool:
    return ("subject" in value and "operator" in value) or (
        "sqlExpression" in value and value.get("clause") in ("WHERE", "HAVING")
    )


def _is_metric(value: Mapping[str, Any]) -> bool:
    return ("sqlExpression" in value and "clause" not in value) or (
        isinstance(value.get("column"), dict) and "aggregate" in value
    )


def _fingerprint(value: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:12]
