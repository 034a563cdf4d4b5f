"""What people who only view dashboards may ask of a dataset: what its file defines, and nothing of their own.

Superset's browser page writes the queries of a chart, and Superset runs whatever they hold: SQL in columns,
metrics, orders and conditions, with Jinja in it. A chart needs none of that to be shown. So of each part of a
query it is said here what it may be; a part that is not known is refused.

The one exception is SQL that somebody who may edit charts has saved with the very chart that is shown.
"""

import json
import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

Json = Any

# No condition, or what filters that must have a value send while they have none.
_NOTHING: Final = re.compile(r"(\(?1 = 0\)?( AND \(?1 = 0\)?)*)?")
_RESULT_TYPES: Final = frozenset({"full", "results", "post_processed", "columns", "timegrains"})
_POST_PROCESSING: Final = frozenset(
    {
        *("aggregate", "boxplot", "compare", "contribution", "cum", "diff", "flatten", "histogram"),
        *("pivot", "rank", "rename", "select", "sort"),
    }
)
_OPERATORS: Final = frozenset(
    {
        *("==", "!=", ">", "<", ">=", "<=", "IN", "NOT IN", "IS NULL", "IS NOT NULL", "IS TRUE", "IS FALSE"),
        *("LIKE", "NOT LIKE", "ILIKE", "NOT ILIKE", "TEMPORAL_RANGE"),
    }
)
_IDENTIFIER: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")
_WORDS: Final = re.compile(r"[\w ,.:/()+\"'-]{0,200}")
_LONGEST_LIST: Final = 10_000
_MOST_PARTS: Final = 50
_MOST_QUERIES: Final = 10
_LARGEST_OPTION: Final = 1_000
"""For bins, periods and the like, which Superset's memory and time grow with."""


class QueryRefusedError(ValueError):
    """A query asks for more than its dataset defines."""


@dataclass(frozen=True)
class Defined:
    """What a query may name.

    Attributes:
        columns: Names of the dataset's columns that may be shown.
        metrics: Names of its metrics.
        hidden: Names of its columns that may not be used to filter.
        saved: What was saved with the chart, each part as `frozen` gives it.
    """

    columns: Collection[str]
    metrics: Collection[str]
    hidden: Collection[str] = frozenset()
    saved: Collection[str] = frozenset()

    def is_saved(self, part: Json) -> bool:
        """Whether this very part was saved with the chart."""
        return frozen(part) in self.saved


def saved_parts(*documents: str | None) -> frozenset[str]:
    """All parts of what was saved with a chart, given as JSON texts, in a form that can be compared."""
    found: set[str] = set()
    for document in documents:
        try:
            _collect(json.loads(document or "null"), found)
        except ValueError:
            continue
    return frozenset(found)


def frozen(part: Json) -> str:
    """A part of a query in a form that can be compared."""
    return json.dumps(part, sort_keys=True, default=str)


def _collect(part: Json, found: set[str]) -> None:
    if isinstance(part, dict):
        children: Iterable[Json] = part.values()
    elif isinstance(part, list):
        children = part
    else:
        children = ()
    if isinstance(part, dict) or (isinstance(part, str) and part):
        found.add(frozen(part))
    for child in children:
        _collect(child, found)


def check_queries(queries: Collection[Mapping[str, Json]], defined: Defined) -> None:
    """Check all queries of a chart.

    Raises:
        QueryRefusedError: There are too many, or one holds something that the dataset does not define.
    """
    if len(queries) > _MOST_QUERIES:
        raise QueryRefusedError(f"A chart has {len(queries)} queries; at most {_MOST_QUERIES} are allowed.")
    for query in queries:
        check_query(query, defined)


def check_query(query: Mapping[str, Json], defined: Defined) -> None:
    """Check one query of a chart.

    Raises:
        QueryRefusedError: It holds something that the dataset does not define; names it.
    """
    for name, value in query.items():
        check = _CHECKS.get(name)
        if check is None:
            raise QueryRefusedError(f"A query has no part {name!r} here.")
        if value is not None:
            check(name, value, defined)


def check_form_data(form_data: Json, defined: Defined) -> None:
    """Check the settings of a chart that come with its queries: Superset makes columns of some.

    Raises:
        QueryRefusedError: As above.
    """
    if form_data is None:
        return
    if not isinstance(form_data, dict):
        raise QueryRefusedError("form_data must be an object.")
    for item in form_data.get("tooltip_contents") or []:
        name = item.get("column_name") if isinstance(item, dict) else item
        if name is not None:
            _column("tooltip_contents", name, defined)
    if form_data.get("x_axis"):
        _column("x_axis", form_data["x_axis"], defined)


def holds_sql(state: Json) -> bool:
    """Whether SQL stands anywhere in what is kept of a dashboard's filters, or shared by a link."""
    if isinstance(state, str):
        try:
            nested = json.loads(state)
        except ValueError:
            return False
        return not isinstance(nested, str) and holds_sql(nested)
    if isinstance(state, list):
        return any(map(holds_sql, state))
    if not isinstance(state, dict):
        return False
    expressions = (state.get(name) for name in ("sqlExpression", "where", "having"))
    return any(
        text and not (isinstance(text, str) and _NOTHING.fullmatch(text)) for text in expressions
    ) or any(map(holds_sql, state.values()))


def check_result_type(value: Json) -> None:
    """Check the kind of answer that is asked for.

    Raises:
        QueryRefusedError: It is not one that charts and filters need, such as samples of rows.
    """
    if value is not None and str(value) not in _RESULT_TYPES:
        raise QueryRefusedError(f"Answers of the type {str(value)[:40]!r} are for those who edit charts.")


def _column(where: str, column: Json, defined: Defined) -> None:
    """A name of a column; or the axis of a chart, which the page writes as if it were SQL."""
    name = column
    if isinstance(column, dict) and column.get("label") == column.get("sqlExpression"):
        name = column.get("sqlExpression")
        grain = column.get("timeGrain")
        if grain is not None and not _is_plain(grain):
            raise _refused(where, grain)
    if not (isinstance(name, str) and name in defined.columns) and not _is_saved_sql(column, defined):
        raise _refused(where, column)


def _metric(where: str, metric: Json, defined: Defined) -> None:
    """A name of a metric, or an object that only bears one as its label."""
    name = metric.get("label") if isinstance(metric, dict) and set(metric) == {"label"} else metric
    if not (isinstance(name, str) and name in defined.metrics) and not _is_saved_sql(metric, defined):
        raise _refused(where, metric)


def _is_saved_sql(part: Json, defined: Defined) -> bool:
    return isinstance(part, dict) and defined.is_saved(part)


def _order(where: str, item: Json, defined: Defined) -> None:
    if not isinstance(item, list | tuple) or len(item) != 2 or not isinstance(item[1], bool):
        raise _refused(where, item)
    if isinstance(item[0], str) and item[0] in defined.metrics:
        return
    if isinstance(item[0], dict) and "aggregate" in item[0]:
        _metric(where, item[0], defined)
    else:
        _column(where, item[0], defined)


def _filter(where: str, item: Json, defined: Defined) -> None:
    """A condition on a column. Filters of columns that the dataset lacks do nothing in Superset."""
    if not isinstance(item, dict) or not set(item) <= {"col", "op", "val", "grain", "isExtra"}:
        raise _refused(where, item)
    column = item.get("col")
    is_name = isinstance(column, str) and (_IDENTIFIER.fullmatch(column) or column in defined.metrics)
    if not is_name or column in defined.hidden:
        _column(where, column, defined)
    operator, grain = item.get("op"), item.get("grain")
    if not (isinstance(operator, str) and operator.upper() in _OPERATORS):
        raise _refused(where, item)
    if grain is not None and not _is_plain(grain):
        raise _refused(where, item)
    values = item.get("val")
    listed = values if isinstance(values, list | tuple) else [values]
    if len(listed) > _LONGEST_LIST or not all(isinstance(v, str | int | float | None) for v in listed):
        raise _refused(where, item)


def _extras(where: str, extras: Json, defined: Defined) -> None:
    if not isinstance(extras, dict):
        raise _refused(where, extras)
    for name, value in extras.items():
        if name in {"where", "having"}:
            _condition(f"{where}.{name}", value, defined)
        elif name not in _PLAIN_EXTRAS or not (value is None or _is_plain(value)):
            raise _refused(f"{where}.{name}", value)


_PLAIN_EXTRAS: Final = frozenset(
    {"time_grain_sqla", "relative_start", "relative_end", "instant_time_comparison_range"}
)


def _condition(where: str, text: Json, defined: Defined) -> None:
    if text is None:
        return
    if not isinstance(text, str) or not (_NOTHING.fullmatch(text) or defined.is_saved(text)):
        raise _refused(where, text)


def _operation(where: str, item: Json, defined: Defined) -> None:
    if item is None:
        return
    known = isinstance(item, dict) and item.get("operation") in _POST_PROCESSING and _is_modest(item)
    if not known and not _is_saved_sql(item, defined):
        raise _refused(where, item)


def _is_modest(options: Json) -> bool:
    """Whether no number in the options of an operation is so large that it would keep Superset busy."""
    if isinstance(options, dict):
        return all(map(_is_modest, options.values()))
    if isinstance(options, list | tuple):
        return all(map(_is_modest, options))
    return not isinstance(options, int | float) or abs(options) <= _LARGEST_OPTION


def _saved_layer(where: str, layer: Json, defined: Defined) -> None:
    if not _is_saved_sql(layer, defined):
        raise _refused(where, layer)


def _plain(where: str, value: Json, defined: Defined) -> None:
    del defined
    if not _is_plain(value):
        raise _refused(where, value)


def _is_plain(value: Json) -> bool:
    """Whether it is a number, a boolean or a few words, such as a range of time."""
    return isinstance(value, int | float) or (isinstance(value, str) and bool(_WORDS.fullmatch(value)))


def _ignored(where: str, value: Json, defined: Defined) -> None:
    """What no SQL is made of: templates may read it, as text."""
    del where, value, defined


def _result_type(where: str, value: Json, defined: Defined) -> None:
    del where, defined
    check_result_type(value)


def _granularity(where: str, value: Json, defined: Defined) -> None:
    if not isinstance(value, str) or value not in defined.columns:
        raise _refused(where, value)


def _refused(where: str, value: Json) -> QueryRefusedError:
    return QueryRefusedError(
        f"{where}: {frozen(value)[:200]} is neither defined by the dataset nor saved with the chart. "
        "Only people who edit charts may send expressions of their own."
    )


_Check = Callable[[str, Json, Defined], None]


def _each(check: _Check) -> _Check:
    def check_all(where: str, items: Json, defined: Defined) -> None:
        if not isinstance(items, list | tuple) or len(items) > _MOST_PARTS:
            raise _refused(where, items)
        for item in items:
            check(where, item, defined)

    return check_all


_CHECKS: Final[Mapping[str, _Check]] = {
    "annotation_layers": _each(_saved_layer),
    "applied_time_extras": _ignored,
    "apply_fetch_values_predicate": _plain,
    "columns": _each(_column),
    "custom_form_data": _ignored,
    "custom_params": _ignored,
    "extras": _extras,
    "filters": _each(_filter),
    "granularity": _granularity,
    "granularity_sqla": _granularity,
    "group_others_when_limit_reached": _plain,
    "groupby": _each(_column),
    "having": _condition,
    "is_rowcount": _plain,
    "is_timeseries": _plain,
    "metrics": _each(_metric),
    "order_desc": _plain,
    "orderby": _each(_order),
    "post_processing": _each(_operation),
    "result_type": _result_type,
    "row_limit": _plain,
    "row_offset": _plain,
    "series_columns": _each(_column),
    "series_limit": _plain,
    "series_limit_metric": _metric,
    "time_offsets": _each(_plain),
    "time_range": _plain,
    "time_shift": _plain,
    "timeseries_limit": _plain,
    "timeseries_limit_metric": _metric,
    "url_params": _ignored,
    "where": _condition,
}
"""What each part of a query may be."""
