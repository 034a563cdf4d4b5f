"""Superset's models of the four kinds of assets."""

from typing import Any, Final

from superset import db
from superset.commands.chart.export import ExportChartsCommand
from superset.commands.dashboard.export import ExportDashboardsCommand
from superset.commands.database.export import ExportDatabasesCommand
from superset.commands.dataset.export import ExportDatasetsCommand
from superset.connectors.sqla.models import SqlaTable
from superset.models.core import Database
from superset.models.dashboard import Dashboard
from superset.models.slice import Slice

from dashboards.identity import asset_uuid

MODELS: Final[dict[str, Any]] = {
    "databases": Database,
    "datasets": SqlaTable,
    "charts": Slice,
    "dashboards": Dashboard,
}
EXPORT_COMMANDS: Final[dict[str, Any]] = {
    "databases": ExportDatabasesCommand,
    "datasets": ExportDatasetsCommand,
    "charts": ExportChartsCommand,
    "dashboards": ExportDashboardsCommand,
}


def all_of(kind: str) -> list[Any]:
    """All models of a kind, the oldest first."""
    model = MODELS[kind]
    return list(db.session.query(model).order_by(model.id))


def find(kind: str, slug: str) -> Any:
    """The model of an asset that came from a file; None if there is none."""
    return db.session.query(MODELS[kind]).filter_by(uuid=asset_uuid(kind, slug)).one_or_none()


def title_of(kind: str, model: Any) -> str:
    """What a file of it would be called by."""
    match kind:
        case "databases":
            return str(model.database_name)
        case "datasets":
            return str(model.table_name)
        case "charts":
            return str(model.slice_name)
    return str(model.slug or model.dashboard_title)
