"""Holds those who only view dashboards to what `dashboards.viewer_queries` allows, wherever they ask.

Every query of Superset 6.1, whichever address it comes by, is made by `QueryContextFactory.create`; the
security manager is asked only later, when Superset has rendered Jinja in the conditions already.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from flask import has_request_context, request
from superset import security_manager
from superset.common.query_context_factory import QueryContextFactory
from superset.daos.chart import ChartDAO
from superset.daos.datasource import DatasourceDAO
from superset.errors import ErrorLevel, SupersetError, SupersetErrorType
from superset.exceptions import SupersetSecurityException
from superset.utils.core import DatasourceType

from dashboards.viewer_queries import (
    Defined,
    QueryRefusedError,
    check_form_data,
    check_queries,
    check_result_type,
    holds_sql,
    saved_parts,
)

if TYPE_CHECKING:
    from flask import Flask

# What a dashboard keeps for a person, and what others open by a link: SQL there would be sent by their
# browsers, with their rights.
_STATE_VIEWS: Final = ("DashboardFilterStateRestApi.", "DashboardPermalinkRestApi.")


def hold_viewers(app: "Flask") -> None:
    """Put the checks into the application."""
    create: Callable[..., Any] = QueryContextFactory.create

    def create_checked(factory: QueryContextFactory, **parts: Any) -> Any:
        if has_request_context() and not may_edit_charts():
            try:
                _check(parts)
            except QueryRefusedError as error:
                raise _forbidden(str(error)) from error
        return create(factory, **parts)

    QueryContextFactory.create = create_checked

    def refuse_sql_in_state() -> None:
        is_state = (request.endpoint or "").startswith(_STATE_VIEWS)
        if is_state and not may_edit_charts() and holds_sql(request.get_json(silent=True)):
            raise _forbidden("The state of a dashboard holds no SQL.")

    app.before_request(refuse_sql_in_state)


def may_edit_charts() -> bool:
    """Whether the person may save SQL in a chart, and so may as well ask with it."""
    return bool(security_manager.can_access("can_write", "Chart"))


def _check(parts: dict[str, Any]) -> None:
    datasource = parts.get("datasource") or {}
    if datasource.get("type") != DatasourceType.TABLE:
        raise QueryRefusedError("Only datasets can be asked.")
    dataset = DatasourceDAO.get_datasource(DatasourceType.TABLE, datasource["id"])
    check_result_type(parts.get("result_type"))
    form_data = parts.get("form_data")
    defined = Defined(
        columns={column.column_name for column in dataset.columns if column.is_active and column.groupby},
        metrics={metric.metric_name for metric in dataset.metrics},
        hidden={column.column_name for column in dataset.columns if not column.filterable},
        saved=_saved_with_chart(form_data, dataset),
    )
    check_form_data(form_data, defined)
    check_queries(parts["queries"], defined)


def _saved_with_chart(form_data: Any, dataset: Any) -> frozenset[str]:
    """What was saved with the chart that is asked for, if it shows this dataset."""
    number = form_data.get("slice_id") if isinstance(form_data, dict) else None
    if number is None and request.endpoint == "ChartDataRestApi.get_data":
        number = (request.view_args or {}).get("pk")
    chart = ChartDAO.find_by_id(number) if isinstance(number, int) else None
    if chart is None or chart.datasource_id != dataset.id:
        return frozenset()
    return saved_parts(chart.params, chart.query_context)


def _forbidden(message: str) -> SupersetSecurityException:
    return SupersetSecurityException(
        SupersetError(
            message=message,
            error_type=SupersetErrorType.DATASOURCE_SECURITY_ACCESS_ERROR,
            level=ErrorLevel.ERROR,
        )
    )
