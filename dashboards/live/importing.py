"""Bring the asset files into Superset: all of them or none."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

import yaml
from superset import db, security_manager
from superset.commands.importers.v1.assets import ImportAssetsCommand
from superset.models.dashboard import dashboard_slices
from superset.utils.core import override_user

from clickstream.settings import Settings
from dashboards.bundle import compile_bundle
from dashboards.files import Assets
from dashboards.identity import KINDS
from dashboards.live.access import grant_viewer
from dashboards.live.models import find
from dashboards.state import State

_FIRST_TO_SEE: Final = "overview"
"""The dashboard that people should open first."""


def import_assets(assets: Assets, settings: Settings, state: State) -> None:
    """Make Superset's assets those of the files.

    What came from a file that is gone is deleted. What was made in the browser stays as it is.

    Raises:
        AssetError: A file can't be used; nothing was changed.
    """
    bundle = compile_bundle(assets, settings.clickhouse)
    contents = {name: yaml.safe_dump(document, sort_keys=False) for name, document in bundle.items()}
    admin = security_manager.find_user(username=settings.superset.admin_name)
    state.forget_digest()
    # Who imports becomes the owner, and only owners may save a chart in the browser.
    with override_user(admin):
        _delete_gone(assets, state.slugs)
        ImportAssetsCommand(contents).run()
        db.session.execute(dashboard_slices.delete().where(dashboard_slices.c.slice_id.is_(None)))
        _list_first(_FIRST_TO_SEE)
        db.session.commit()
    grant_viewer([find("databases", slug) for slug in assets.databases])
    state.imported(assets, settings)


def _list_first(slug: str) -> None:
    """Puts a dashboard at the top of Superset's list, which begins with what was changed last."""
    dashboard = find("dashboards", slug)
    if dashboard is not None:
        dashboard.changed_on = datetime.now() + timedelta(seconds=1)  # noqa: DTZ005 -- as Superset keeps it


def _delete_gone(assets: Assets, imported: Mapping[str, list[str]]) -> None:
    """Delete what was imported once and has no file any more, each before what it is made of."""
    for kind in reversed(KINDS):
        for slug in set(imported.get(kind, [])) - set(assets.of(kind)):
            if (model := find(kind, slug)) is not None:
                db.session.delete(model)
                db.session.flush()
