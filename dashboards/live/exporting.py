"""Read back what Superset has, edited in the browser or not."""

import json
import uuid
from collections.abc import Mapping
from typing import Any, Final

import yaml
from superset import db, security_manager
from superset.utils.core import override_user

from clickstream.settings import SupersetSettings
from dashboards.bundle import METADATA_FILE, Exported, decompile_bundle
from dashboards.files import Assets, Document
from dashboards.identity import KINDS, asset_uuid, free_slug
from dashboards.live.models import EXPORT_COMMANDS, all_of, title_of
from dashboards.state import State
from dashboards.warehouse import tables

# Databases have passwords; only the one of the stack is a file.
_ADOPTED_KINDS: Final = ("datasets", "charts", "dashboards")

Slugs = dict[str, dict[str, str]]
"""Slug of each asset by its id (`uuid`), by kind."""


def export_assets(files: Assets, state: State, settings: SupersetSettings) -> tuple[Assets, list[str]]:
    """Give the assets that Superset has now, and remarks on what can't become a file.

    What was made in the browser gets a slug from its title, and the id that belongs to it, so that the next
    import changes it and makes no second one.

    Args:
        files: The assets as the files have them so far.
        state: Knows which slugs were imported.
        settings: Name who may read everything.
    """
    slugs = {kind: _known_slugs(kind, files, state) for kind in KINDS}
    with override_user(security_manager.find_user(username=settings.admin_name)):
        remarks = [remark for kind in _ADOPTED_KINDS for remark in _adopt(kind, slugs)]
        _name_charts_in_layouts()
        db.session.commit()
        documents = {kind: _exported(kind, slugs[kind]) for kind in KINDS}
    return decompile_bundle(Exported(documents, slugs), files), remarks


def _known_slugs(kind: str, files: Assets, state: State) -> dict[str, str]:
    return {asset_uuid(kind, slug): slug for slug in {*files.of(kind), *state.slugs.get(kind, [])}}


def _adopt(kind: str, slugs: Slugs) -> list[str]:
    """Give slug and id to what has none; says what can't be a file."""
    remarks = []
    for model in all_of(kind):
        if str(model.uuid) in slugs[kind]:
            continue
        title = title_of(kind, model)
        if not _is_ours(kind, model, slugs):
            remarks.append(f"left out, as its data are not a view or mart of the warehouse: {title} ({kind})")
            continue
        slug = free_slug(title, slugs[kind].values())
        model.uuid = uuid.UUID(asset_uuid(kind, slug))
        slugs[kind][str(model.uuid)] = slug
    db.session.flush()
    return remarks


def _is_ours(kind: str, model: Any, slugs: Slugs) -> bool:
    """Whether all that it is made of has a file."""
    match kind:
        case "datasets":
            is_described = bool(model.sql) or model.table_name in tables()
            return is_described and str(model.database.uuid) in slugs["databases"]
        case "charts":
            return model.table is not None and str(model.table.uuid) in slugs["datasets"]
    return True


def _name_charts_in_layouts() -> None:
    """Bring the ids in layouts to those of the charts: an adopted one has another than before."""
    ids = {chart.id: str(chart.uuid) for chart in all_of("charts")}
    for dashboard in all_of("dashboards"):
        position = json.loads(dashboard.position_json or "{}")
        for component in position.values():
            if isinstance(component, dict) and component.get("type") == "CHART":
                number = component["meta"].get("chartId")
                if number in ids:
                    component["meta"]["uuid"] = ids[number]
        if position:
            dashboard.position_json = json.dumps(position)


def _exported(kind: str, slugs: Mapping[str, str]) -> dict[str, Document]:
    """Superset's own export of each asset that has a slug, by id."""
    documents: dict[str, Document] = {}
    for model in all_of(kind):
        if str(model.uuid) in slugs:
            files = EXPORT_COMMANDS[kind]([model.id], export_related=False).run()
            (text,) = [content() for name, content in files if name != METADATA_FILE]
            documents[str(model.uuid)] = yaml.safe_load(text)
            if kind == "datasets":
                # Superset puts the database's there where the dataset has none.
                documents[str(model.uuid)]["cache_timeout"] = model._cache_timeout
    return documents
