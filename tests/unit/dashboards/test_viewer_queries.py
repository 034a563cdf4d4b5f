"""What people who only view dashboards may ask of a dataset."""

import json
from typing import Any

import pytest

from dashboards.viewer_queries import (
    Defined,
    QueryRefusedError,
    check_form_data,
    check_queries,
    check_query,
    check_result_type,
    holds_sql,
    saved_parts,
)

DEFINED = Defined(columns={"date", "url_path"}, metrics={"views_total", "clicks_total"})
AXIS = {
    "columnType": "BASE_AXIS",
    "expressionType": "SQL",
    "isColumnReference": True,
    "label": "date",
    "sqlExpression": "date",
    "timeGrain": "P1D",
}
SQL_METRIC = {"expressionType": "SQL", "label": "n", "sqlExpression": "count()"}
SIMPLE_METRIC = {
    "expressionType": "SIMPLE",
    "label": "n",
    "aggregate": "MAX",
    "column": {"column_name": "date"},
}
SQL_COLUMN = {"expressionType": "SQL", "label": "x", "sqlExpression": "(select 1)"}


@pytest.mark.parametrize(
    "query",
    [
        pytest.param({"columns": ["url_path"], "metrics": ["views_total"]}, id="names"),
        pytest.param({"columns": [AXIS], "metrics": [{"label": "views_total"}]}, id="axis and label"),
        pytest.param(
            {"filters": [{"col": "url_path", "op": "IN", "val": ["{{ 1 }}", "' or 1"]}]}, id="any value"
        ),
        pytest.param(
            {"filters": [{"col": "country", "op": "==", "val": "US"}]}, id="filter of another dataset"
        ),
        pytest.param({"filters": [{"col": "date", "op": "TEMPORAL_RANGE", "val": "No filter"}]}, id="dates"),
        pytest.param({"orderby": [["views_total", False], ["date", True]]}, id="order"),
        pytest.param({"extras": {"where": "", "having": "", "time_grain_sqla": "P1D"}}, id="no conditions"),
        pytest.param({"extras": {"where": "(1 = 0)"}}, id="a filter that lacks its value"),
        pytest.param({"extras": {"where": "(1 = 0) AND (1 = 0)"}}, id="two filters that lack their values"),
        pytest.param({"time_range": 'DATEADD(DATETIME("today"), -7, day) : now'}, id="a range"),
        pytest.param({"post_processing": [{"operation": "pivot", "options": {}}, None]}, id="a pivot"),
        pytest.param(
            {"post_processing": [{"operation": "histogram", "options": {"column": "views", "bins": 25}}]},
            id="a histogram",
        ),
        pytest.param(
            {"granularity": "date", "row_limit": 10, "annotation_layers": [], "url_params": {}}, id="rest"
        ),
        pytest.param({"series_columns": ["url_path"], "series_limit_metric": "views_total"}, id="series"),
        pytest.param({"columns": None, "metrics": None}, id="nulls"),
    ],
)
def test_what_dashboards_ask_is_allowed(query: dict[str, Any]) -> None:
    check_query(query, DEFINED)


@pytest.mark.parametrize(
    "query",
    [
        pytest.param({"metrics": [SQL_METRIC]}, id="metric"),
        pytest.param({"metrics": [SIMPLE_METRIC]}, id="metric without SQL"),
        pytest.param({"metrics": ["count()"]}, id="metric as text"),
        pytest.param(
            {"metrics": [{"label": "views_total", "sqlExpression": "1"}]}, id="metric with a known label"
        ),
        pytest.param({"metrics": "views_total"}, id="metrics as text"),
        pytest.param({"columns": [SQL_COLUMN]}, id="column"),
        pytest.param({"columns": ["(select fio from users)"]}, id="column as text"),
        pytest.param({"columns": [{**AXIS, "sqlExpression": "now()"}]}, id="axis with another expression"),
        pytest.param({"columns": [{**AXIS, "label": "x"}]}, id="axis with another label"),
        pytest.param({"columns": [{**AXIS, "timeGrain": "'; select"}]}, id="axis with SQL as grain"),
        pytest.param({"groupby": [SQL_COLUMN]}, id="groupby"),
        pytest.param({"series_columns": [SQL_COLUMN]}, id="series"),
        pytest.param({"series_limit_metric": SQL_METRIC}, id="series limit"),
        pytest.param({"timeseries_limit_metric": SQL_METRIC}, id="series limit by its old name"),
        pytest.param({"orderby": [[SQL_METRIC, True]]}, id="order by metric"),
        pytest.param({"orderby": [[{**SIMPLE_METRIC, "sqlExpression": "1"}, True]]}, id="order by both"),
        pytest.param({"orderby": [["1; select", True]]}, id="order by text"),
        pytest.param({"orderby": ["views_total"]}, id="order without direction"),
        pytest.param({"filters": [{"col": SQL_COLUMN, "op": "==", "val": 1}]}, id="filter on SQL"),
        pytest.param({"filters": [{"col": "a b(", "op": "==", "val": 1}]}, id="filter on text"),
        pytest.param(
            {"filters": [{"col": "date", "op": "==", "val": {"sqlExpression": "1"}}]}, id="object as value"
        ),
        pytest.param({"filters": [{"col": "date", "op": "= 1 or", "val": 1}]}, id="operator"),
        pytest.param({"filters": [{"col": "date", "clause": "HAVING"}]}, id="unknown part of a filter"),
        pytest.param({"where": "1 = 1"}, id="where"),
        pytest.param({"having": "1 = 1"}, id="having"),
        pytest.param({"extras": {"where": "{{ 7 * 6 }} = 42"}}, id="where with Jinja"),
        pytest.param({"extras": {"having": "count() > 0"}}, id="having in extras"),
        pytest.param({"extras": {"where": ["1 = 1"]}}, id="where as a list"),
        pytest.param({"extras": {"transpile_to_dialect": True}}, id="unknown extra"),
        pytest.param({"extras": [["where", "1"]]}, id="extras as a list"),
        pytest.param({"granularity": "now()"}, id="granularity"),
        pytest.param({"granularity_sqla": "now()"}, id="granularity by its old name"),
        pytest.param({"annotation_layers": [{"sourceType": "table", "value": 1}]}, id="annotations"),
        pytest.param({"post_processing": [{"operation": "prophet"}]}, id="forecast"),
        pytest.param(
            {"post_processing": [{"operation": "histogram", "options": {"bins": 2_000_000_000}}]},
            id="more bins than memory holds",
        ),
        pytest.param({"time_offsets": [f"{n} days ago" for n in range(500)]}, id="one query for hundreds"),
        pytest.param({"result_type": "samples"}, id="samples"),
        pytest.param({"datasource": {"id": 2, "type": "table"}}, id="another dataset"),
        pytest.param({"inner_from_dttm": "x"}, id="unknown part"),
        pytest.param({"row_limit": "1; select"}, id="text as a number"),
    ],
)
def test_what_the_dataset_does_not_define_is_refused(query: dict[str, Any]) -> None:
    with pytest.raises(QueryRefusedError):
        check_query(query, DEFINED)


def test_a_chart_has_no_hundreds_of_queries() -> None:
    check_queries([{"metrics": ["views_total"]}] * 4, DEFINED)

    with pytest.raises(QueryRefusedError, match="500 queries"):
        check_queries([{"metrics": ["views_total"]}] * 500, DEFINED)


def test_a_column_that_is_there_for_a_metric_alone_is_not_shown_or_filtered() -> None:
    defined = Defined(DEFINED.columns, DEFINED.metrics, hidden={"users_state"})

    for query in (
        {"columns": ["users_state"]},
        {"filters": [{"col": "users_state", "op": "IN", "val": [1]}]},
    ):
        with pytest.raises(QueryRefusedError, match="users_state"):
            check_query(query, defined)


def test_a_refusal_names_place_and_value() -> None:
    with pytest.raises(QueryRefusedError, match=r'^metrics: "count\(\)" is neither defined'):
        check_query({"metrics": ["count()"]}, DEFINED)


def test_sql_that_was_saved_with_the_chart_is_allowed_and_no_other() -> None:
    query = {
        "metrics": [SQL_METRIC],
        "orderby": [[SQL_METRIC, False]],
        "columns": [SQL_COLUMN],
        "extras": {"where": "(views > 1)"},
        "post_processing": [{"operation": "rolling", "options": {"window": 7}}],
    }
    saved = saved_parts(json.dumps({"queries": [query]}), None, "no JSON")
    defined = Defined(DEFINED.columns, DEFINED.metrics, saved=saved)

    check_query(query, defined)
    for changed in (
        {"metrics": [{**SQL_METRIC, "sqlExpression": "max(1)"}]},
        {"extras": {"where": "(views > 2)"}},
        {"post_processing": [{"operation": "rolling", "options": {"window": 8}}]},
    ):
        with pytest.raises(QueryRefusedError):
            check_query(changed, defined)


@pytest.mark.parametrize(
    "form_data",
    [
        {"tooltip_contents": ["(select 1)"]},
        {"tooltip_contents": [{"column_name": "now()"}]},
        {"x_axis": SQL_COLUMN},
        [],
    ],
)
def test_settings_that_superset_makes_columns_of_are_checked(form_data: Any) -> None:
    with pytest.raises(QueryRefusedError):
        check_form_data(form_data, DEFINED)
    check_form_data({"tooltip_contents": ["date"], "x_axis": "date", "title": "(select 1)"}, DEFINED)
    check_form_data(None, DEFINED)


@pytest.mark.parametrize("kind", ["samples", "drill_detail", "query", "x"])
def test_rows_and_statements_are_for_those_who_edit(kind: str) -> None:
    with pytest.raises(QueryRefusedError):
        check_result_type(kind)


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        ({"value": '{"NATIVE_FILTER-1": {"extraFormData": {"filters": [{"val": ["a"]}]}}}'}, False),
        ({"value": '{"a": {"adhoc_filters": [{"sqlExpression": "1 = 0"}]}}'}, False),
        ({"value": '{"a": {"adhoc_filters": [{"sqlExpression": "1 = 1"}]}}'}, True),
        ({"dataMask": {"a": {"extraFormData": {"extras": {"where": "x"}}}}}, True),
        ({"dataMask": [{"having": "x"}]}, True),
        (None, False),
    ],
)
def test_sql_is_found_in_the_state_of_a_dashboard(state: Any, expected: bool) -> None:
    assert holds_sql(state) is expected
