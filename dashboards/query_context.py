"""What a chart asks of its dataset, as Superset keeps it beside the chart's settings.

In Superset the browser makes it when a chart is saved; `GET /api/v1/chart/<id>/data/` answers from it alone.
Here it is made for charts that come from files. What the browser does with the rows (pivots, ranks, shares)
is left out: they come as the database gives them.
"""

import json
from collections.abc import Iterator
from typing import Any

from dashboards.files import Document


def query_context(viz_type: str, params: Document) -> str:
    """The query context of a chart, as JSON text; the import fills in the dataset.

    Args:
        viz_type: The kind of chart.
        params: Its settings, filters and metrics in Superset's own form.
    """
    context = {
        "datasource": {"id": 0, "type": "table"},
        "force": False,
        "queries": [_query(params)],
        "form_data": {**params, "viz_type": viz_type},
        "result_format": "json",
        "result_type": "full",
    }
    return json.dumps(context, sort_keys=True)


def _query(params: Document) -> Document:
    conditions: dict[str, list[str]] = {"WHERE": [], "HAVING": []}
    for item in params.get("adhoc_filters", []):
        if item.get("sqlExpression"):
            conditions[item.get("clause", "WHERE")].append(f"({item['sqlExpression']})")
    query = {
        "columns": list(_columns(params)),
        "filters": [
            {"col": item["subject"], "op": item["operator"], "val": item.get("comparator")}
            for item in params.get("adhoc_filters", [])
            if item.get("subject")
        ],
        "extras": {name.lower(): " AND ".join(texts) for name, texts in conditions.items()},
        "orderby": list(_order(params)),
        "order_desc": True,
        "row_limit": params.get("row_limit", 10_000),
    }
    if params.get("query_mode") != "raw":
        query["metrics"] = list(_metrics(params))
    if "time_grain_sqla" in params:
        query["extras"]["time_grain_sqla"] = params["time_grain_sqla"]
    if params.get("limit"):
        query["series_limit"] = params["limit"]
        query["series_columns"] = list(_groups(params))
        query["series_limit_metric"] = params.get("timeseries_limit_metric")
    return query


def _columns(params: Document) -> Iterator[Any]:
    """The axis first, as the browser has it."""
    if "x_axis" in params:
        grain = {"timeGrain": params["time_grain_sqla"]} if "time_grain_sqla" in params else {}
        yield {
            **grain,
            "columnType": "BASE_AXIS",
            "expressionType": "SQL",
            "isColumnReference": True,
            "label": params["x_axis"],
            "sqlExpression": params["x_axis"],
        }
    yield from _groups(params)
    yield from params.get("all_columns", [])


def _groups(params: Document) -> Iterator[str]:
    groups = params.get("groupby", [])
    yield from [groups] if isinstance(groups, str) else groups


def _metrics(params: Document) -> Iterator[Any]:
    yield from params.get("metrics", [])
    if "metric" in params:
        yield params["metric"]


def _order(params: Document) -> Iterator[list[Any]]:
    """What comes first where there are more rows than the limit."""
    for item in params.get("order_by_cols", []):
        yield json.loads(item)
    if params.get("query_mode") == "raw":
        return
    first = params.get("timeseries_limit_metric", next(_metrics(params), None))
    if first is not None:
        yield [first, False]
