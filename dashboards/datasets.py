"""Datasets: a file says what Superset adds to a view; the view's columns come from the warehouse's files."""

from collections.abc import Mapping
from typing import Any, Final

from dashboards.databases import VERSION
from dashboards.fields import Field, refuse_unknown, required, to_file, to_superset
from dashboards.files import AssetError, Document
from dashboards.identity import asset_uuid
from dashboards.warehouse import Column, UnknownTableError, table, tables

DATABASE: Final = "clickstream"

_FIELDS: Final = (
    Field("table", "table_name"),
    Field("sql", "sql"),
    Field("description", "description"),
    Field("main_time_column", "main_dttm_col"),
    Field("always_filter_main_time", "always_filter_main_dttm", False),
    Field("cache_timeout", "cache_timeout"),
    Field("offset", "offset", 0),
    Field("filter_values", "filter_select_enabled", True),
    Field("filter_values_where", "fetch_values_predicate"),
    Field("extra", "extra"),
)
_METRIC_FIELDS: Final = (
    Field("label", "verbose_name"),
    Field("expression", "expression"),
    Field("description", "description"),
    Field("format", "d3format"),
    Field("currency", "currency"),
    Field("warning", "warning_text"),
    Field("metric_type", "metric_type"),
    Field("extra", "extra"),
)
_COLUMN_FIELDS: Final = (
    Field("label", "verbose_name"),
    Field("expression", "expression"),
    Field("type", "type"),
    Field("description", "description"),
    Field("is_time", "is_dttm", False),
    Field("is_active", "is_active", True),
    Field("groupable", "groupby", True),
    Field("filterable", "filterable", True),
    Field("time_format", "python_date_format"),
    Field("extra", "extra"),
)
# Superset has these as well, and no asset of ours uses them.
_UNUSED: Final = {
    "default_endpoint": None,
    "currency_code_column": None,
    "catalog": None,
    "params": None,
    "template_params": None,
    "normalize_columns": False,
    "folders": None,
}
_KEYS: Final = (*(field.name for field in _FIELDS), "database", "metrics", "columns")


def compile_dataset(slug: str, document: Document, schema: str) -> Document:
    """The dataset in Superset's form, with every column of its view or mart.

    Args:
        slug: The file's name.
        document: The file's content.
        schema: The database of the warehouse.

    Raises:
        AssetError: It names a view, mart or column that the warehouse does not have, or an unknown setting.
    """
    where = f"datasets/{slug}.yaml"
    refuse_unknown(where, document, _KEYS)
    own = document.get("columns", {})
    known = _warehouse_columns(where, document)
    for name, attributes in own.items():
        refuse_unknown(f"{where}: column {name}", attributes, [field.name for field in _COLUMN_FIELDS])
        if known and name not in known and "expression" not in attributes:
            raise AssetError(
                f"{where}: {document['table']} has no column {name}; a calculated one needs an expression."
            )
    plain = {**document, "description": document.get("description", _warehouse_description(document))}
    return {
        **_UNUSED,
        **to_superset(_FIELDS, plain),
        "schema": schema,
        "metrics": [
            _compile_metric(where, name, attributes)
            for name, attributes in document.get("metrics", {}).items()
        ],
        "columns": [
            _compile_column(name, own.get(name, {}), known.get(name))
            for name in [*known, *(name for name in own if name not in known)]
        ],
        "uuid": asset_uuid("datasets", slug),
        "database_uuid": asset_uuid("databases", document.get("database", DATABASE)),
        "version": VERSION,
    }


def decompile_dataset(exported: Document, database: str) -> Document:
    """The dataset as a file has it: without what the warehouse says itself."""
    document = to_file(_FIELDS, exported)
    if document.get("description") == _warehouse_description(document):
        document.pop("description", None)
    if database != DATABASE:
        document["database"] = database
    known = _warehouse_columns("", document)
    metrics = {
        metric["metric_name"]: to_file(_METRIC_FIELDS, metric) for metric in exported.get("metrics", [])
    }
    columns = {
        column["column_name"]: _decompile_column(column, known.get(column["column_name"]))
        for column in exported.get("columns", [])
    }
    return {
        **document,
        **_if_any("metrics", metrics),
        **_if_any("columns", {n: c for n, c in columns.items() if c or n not in known}),
    }


def _warehouse_columns(where: str, document: Document) -> Mapping[str, Column]:
    """The columns of the dataset's view or mart, which a query of its own (`sql`) has as well.

    None for a query under another name: its file has all the columns.
    """
    name = required(where, document, "table")
    if document.get("sql") and name not in tables():
        return {}
    try:
        return table(name).columns
    except UnknownTableError as error:
        raise AssetError(f"{where}: {error}") from error


def _warehouse_description(document: Document) -> str | None:
    found = tables().get(document["table"])
    return found.description if found else None


def _compile_metric(where: str, name: str, attributes: Document) -> Document:
    refuse_unknown(f"{where}: metric {name}", attributes, [field.name for field in _METRIC_FIELDS])
    required(f"{where}: metric {name}", attributes, "expression")
    return {"metric_name": name, **to_superset(_METRIC_FIELDS, attributes)}


def _column_defaults(column: Column | None) -> Document:
    """What a column is where the file does not say; one that the warehouse has is described there."""
    if column is None:
        return {}
    return {"type": column.type, "description": column.description, "is_time": column.is_time}


def _compile_column(name: str, attributes: Document, column: Column | None) -> Document:
    merged = {**_column_defaults(column), **attributes}
    return {
        "column_name": name,
        "advanced_data_type": None,
        "datetime_format": None,
        **to_superset(_COLUMN_FIELDS, merged),
    }


def _decompile_column(exported: Mapping[str, Any], column: Column | None) -> Document:
    document = to_file(_COLUMN_FIELDS, exported)
    defaults = _column_defaults(column)
    if column is not None:
        # Superset spells the types in its own way once somebody has it look at the table.
        document.pop("type", None)
        if column.is_time and not exported.get("is_dttm"):
            document["is_time"] = False
    return {name: value for name, value in document.items() if value != defaults.get(name)}


def _if_any(name: str, items: Mapping[str, Document]) -> Document:
    return {name: dict(sorted(items.items()))} if items else {}
