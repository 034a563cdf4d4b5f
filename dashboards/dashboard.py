"""Dashboards: title, filters, colours and layout."""

from collections.abc import Mapping
from typing import Any, Final

from dashboards.databases import VERSION
from dashboards.fields import Field, refuse_unknown, required, to_file, to_superset
from dashboards.files import Document
from dashboards.filters import Places, compile_filters, decompile_filters
from dashboards.identity import asset_uuid
from dashboards.layout import chart_numbers, compile_layout, decompile_layout, tab_ids

_FIELDS: Final = (
    Field("title", "dashboard_title"),
    Field("slug", "slug"),
    Field("description", "description"),
    Field("published", "published", True),
    Field("css", "css"),
    Field("certified_by", "certified_by"),
    Field("certification_details", "certification_details"),
)
_METADATA_FIELDS: Final = (
    Field("color_scheme", "color_scheme"),
    Field("label_colors", "label_colors"),
    Field("cross_filters", "cross_filters_enabled", True),
    Field("refresh_seconds", "refresh_frequency", 0),
    Field("filter_bar", "filter_bar_orientation", "VERTICAL"),
    Field("show_chart_timestamps", "show_chart_timestamps", False),
)
# What Superset generates, what is obsolete, and what a file expresses in another way.
_GENERATED_METADATA: Final[Mapping[str, Any]] = {
    "timed_refresh_immune_slices": [],
    "expanded_slices": {},
    "filter_scopes": {},
    "default_filters": "{}",
    "shared_label_colors": [],
    "map_label_colors": {},
    "color_scheme_domain": [],
    "chart_customization_config": [],
}
_KEYS: Final = (
    *(field.name for field in (*_FIELDS, *_METADATA_FIELDS)),
    *("filters", "cross_filter_scope", "cross_filter_scopes", "layout"),
)


def compile_dashboard(
    slug: str, document: Document, titles: Mapping[str, str], dataset_slugs: Mapping[str, str]
) -> Document:
    """The dashboard in Superset's form.

    Args:
        slug: The file's name.
        document: The file's content.
        titles: The charts that there are: title by slug.
        dataset_slugs: The datasets that there are: slug by id (`uuid`).

    Raises:
        AssetError: It names something that does not exist, or an unknown setting.
    """
    where = f"dashboards/{slug}.yaml"
    refuse_unknown(where, document, _KEYS)
    title = required(where, document, "title")
    layout = document.get("layout", [])
    numbers = chart_numbers(layout)
    places = Places(tab_ids(layout), numbers, dataset_slugs)
    position = compile_layout(where, title, layout, titles)
    return {
        **to_superset(_FIELDS, document),
        "position": position,
        "metadata": {
            **_GENERATED_METADATA,
            **to_superset(_METADATA_FIELDS, {**document, "label_colors": document.get("label_colors", {})}),
            "native_filter_configuration": compile_filters(where, document.get("filters", []), places),
            **_compile_cross_filters(where, document, places),
        },
        "theme_id": None,
        "uuid": asset_uuid("dashboards", slug),
        "version": VERSION,
    }


def decompile_dashboard(
    exported: Document, chart_slugs: Mapping[str, str], dataset_slugs: Mapping[str, str]
) -> Document:
    """The dashboard as a file has it.

    Args:
        exported: Superset's form.
        chart_slugs: Slug of each chart, by its id (`uuid`).
        dataset_slugs: Slug of each dataset, by its id (`uuid`).
    """
    position = exported["position"]
    metadata = exported.get("metadata") or {}
    places = Places(_exported_tabs(position), _exported_numbers(position, chart_slugs), dataset_slugs)
    settings = to_file(_METADATA_FIELDS, metadata)
    if not settings.get("label_colors"):
        settings.pop("label_colors", None)
    filters = decompile_filters(metadata.get("native_filter_configuration") or [], places)
    return {
        **to_file(_FIELDS, exported),
        **settings,
        **_decompile_cross_filters(metadata, places),
        **({"filters": filters} if filters else {}),
        "layout": decompile_layout(position, chart_slugs),
    }


def _compile_cross_filters(where: str, document: Document, places: Places) -> Document:
    """Which charts a click on a chart filters: all others, unless the file says otherwise."""

    def scope(limits: Mapping[str, Any]) -> Document:
        return places.scope(where, limits.get("tabs", []), limits.get("except_charts", []))

    own = document.get("cross_filter_scopes", {})
    configuration = {
        str(number): {
            "id": number,
            "crossFilters": {"scope": scope(own[chart]) if chart in own else "global", "chartsInScope": []},
        }
        for chart, number in places.chart_numbers.items()
    }
    return {
        "chart_configuration": configuration,
        "global_chart_configuration": {
            "scope": scope(document.get("cross_filter_scope", {})),
            "chartsInScope": [],
        },
    }


def _decompile_cross_filters(metadata: Mapping[str, Any], places: Places) -> Document:
    slugs = {number: slug for slug, number in places.chart_numbers.items()}
    general = places.named((metadata.get("global_chart_configuration") or {}).get("scope") or {})
    own = {}
    for number, item in (metadata.get("chart_configuration") or {}).items():
        scope = (item.get("crossFilters") or {}).get("scope")
        if isinstance(scope, dict) and int(number) in slugs:
            chart = slugs[int(number)]
            # A chart never filters itself; Superset's editor writes that down.
            excluded = [other for other in scope.get("excluded", []) if other != int(number)]
            own[chart] = places.named({**scope, "excluded": excluded})
    return {
        **({"cross_filter_scope": general} if general else {}),
        **({"cross_filter_scopes": dict(sorted(own.items()))} if own else {}),
    }


def _exported_tabs(position: Mapping[str, Any]) -> dict[str, str]:
    return {
        component["meta"]["text"]: id_
        for id_, component in position.items()
        if isinstance(component, dict) and component.get("type") == "TAB"
    }


def _exported_numbers(position: Mapping[str, Any], chart_slugs: Mapping[str, str]) -> dict[str, int]:
    metas = [
        component["meta"]
        for component in position.values()
        if isinstance(component, dict) and component.get("type") == "CHART"
    ]
    return {
        chart_slugs[str(meta["uuid"])]: int(meta["chartId"])
        for meta in metas
        if str(meta.get("uuid")) in chart_slugs
    }
