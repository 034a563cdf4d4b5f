"""Filters of a dashboard: datasets, tabs, charts and other filters are named, not numbered."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from dashboards.fields import refuse_unknown, required
from dashboards.files import AssetError, Document
from dashboards.identity import asset_uuid, free_slug

_TYPES: Final[Mapping[str, str]] = {
    "select": "filter_select",
    "range": "filter_range",
    "time": "filter_time",
    "time_column": "filter_timecolumn",
    "time_grain": "filter_timegrain",
}
_CONTROLS: Final[Mapping[str, Mapping[str, Any]]] = {
    "select": {
        "enableEmptyFilter": False,
        "defaultToFirstItem": False,
        "multiSelect": True,
        "searchAllOptions": False,
        "inverseSelection": False,
        "creatable": True,
    },
    "range": {"enableEmptyFilter": False},
    "time": {"enableEmptyFilter": False},
    "time_column": {"enableEmptyFilter": False},
    "time_grain": {"enableEmptyFilter": False},
}
# Passed on as they are.
_FURTHER: Final = ("adhoc_filters", "time_range", "sortMetric", "granularity_sqla", "requiredFirst")
_KEYS: Final = (
    *("name", "type", "description", "dataset", "column", "default", "default_mask", "controls"),
    *("parents", "tabs", "except_charts", *_FURTHER),
)
_EMPTY_MASK: Final[Document] = {"extraFormData": {}, "filterState": {}, "ownState": {}}


@dataclass(frozen=True)
class Places:
    """What a dashboard's filters refer to, in both directions.

    Attributes:
        tab_ids: Component id of each tab, by its title.
        chart_numbers: Number of each chart, by its slug.
        dataset_slugs: Slug of each dataset, by its id (`uuid`).
    """

    tab_ids: Mapping[str, str]
    chart_numbers: Mapping[str, int]
    dataset_slugs: Mapping[str, str]

    def scope(self, where: str, tabs: Sequence[str], except_charts: Sequence[str]) -> Document:
        """Superset's form of "these tabs, but not these charts".

        Raises:
            AssetError: A tab or chart is not on the dashboard.
        """
        for what, names, known in (
            ("tab", tabs, self.tab_ids),
            ("chart", except_charts, self.chart_numbers),
        ):
            if missing := [name for name in names if name not in known]:
                raise AssetError(f"{where}: the layout has no {what} {', '.join(missing)}.")
        return {
            "rootPath": [self.tab_ids[tab] for tab in tabs] or ["ROOT_ID"],
            "excluded": [self.chart_numbers[chart] for chart in except_charts],
        }

    def named(self, scope: Mapping[str, Any]) -> Document:
        """The opposite."""
        titles = {id_: title for title, id_ in self.tab_ids.items()}
        slugs = {number: slug for slug, number in self.chart_numbers.items()}
        tabs = [titles[id_] for id_ in scope.get("rootPath", []) if id_ in titles]
        charts = sorted(slugs[number] for number in scope.get("excluded", []) if number in slugs)
        return {**({"tabs": tabs} if tabs else {}), **({"except_charts": charts} if charts else {})}


def compile_filters(where: str, filters: Sequence[Document], places: Places) -> list[Document]:
    """Superset's form of a dashboard's filters.

    Raises:
        AssetError: A filter names what is not there.
    """
    ids: dict[str, str] = {}
    for document in filters:
        name = required(f"{where}: a filter", document, "name")
        if name in ids:
            raise AssetError(f"{where}: two filters are called {name}.")
        ids[name] = f"NATIVE_FILTER-{free_slug(name, {id_.partition('-')[2] for id_ in ids.values()})}"
    return [
        _compile_filter(f"{where}: filter {document['name']}", document, ids, places) for document in filters
    ]


def _compile_filter(where: str, document: Document, ids: Mapping[str, str], places: Places) -> Document:
    refuse_unknown(where, document, _KEYS)
    kind = required(where, document, "type")
    base = {
        "id": ids[document["name"]],
        "description": document.get("description", ""),
        "scope": places.scope(where, document.get("tabs", []), document.get("except_charts", [])),
    }
    if kind == "divider":
        return {**base, "title": document["name"], "type": "DIVIDER"}
    if kind not in _TYPES:
        raise AssetError(f"{where}: type is {kind}; it can be {', '.join(_TYPES)} or divider.")
    target: Document = {}
    if "dataset" in document:
        if document["dataset"] not in places.dataset_slugs.values():
            raise AssetError(f"{where}: there is no dataset {document['dataset']}.")
        target["datasetUuid"] = asset_uuid("datasets", document["dataset"])
    if "column" in document:
        target["column"] = {"name": document["column"]}
    if unknown := [name for name in document.get("parents", []) if name not in ids]:
        raise AssetError(f"{where}: there is no filter {', '.join(unknown)}.")
    return {
        **base,
        "name": document["name"],
        "type": "NATIVE_FILTER",
        "filterType": _TYPES[kind],
        "targets": [target],
        "controlValues": {**_CONTROLS[kind], **document.get("controls", {})},
        "defaultDataMask": _default_mask(kind, document),
        "cascadeParentIds": [ids[name] for name in document.get("parents", [])],
        **{name: document[name] for name in _FURTHER if name in document},
    }


def _default_mask(kind: str, document: Document) -> Document:
    """What the filter is set to at first."""
    if "default_mask" in document:
        return {**_EMPTY_MASK, **document["default_mask"]}
    if "default" not in document:
        return dict(_EMPTY_MASK)
    value = document["default"]
    if kind == "time":
        return {**_EMPTY_MASK, "extraFormData": {"time_range": value}, "filterState": {"value": value}}
    if kind == "select":
        chosen = {"col": document.get("column"), "op": "IN", "val": value}
        label = ", ".join(str(item) for item in value)
        return {
            **_EMPTY_MASK,
            "extraFormData": {"filters": [chosen]},
            "filterState": {"label": label, "value": value, "validateStatus": False},
        }
    raise AssetError(f"A filter of type {kind} takes default_mask, not default.")


def decompile_filters(configuration: Sequence[Document], places: Places) -> list[Document]:
    """The filters as a file has them."""
    names = {item["id"]: item.get("name") or item.get("title", "") for item in configuration}
    return [_decompile_filter(item, names, places) for item in configuration]


def _decompile_filter(item: Document, names: Mapping[str, str], places: Places) -> Document:
    document: Document = {"name": names[item["id"]]}
    described = {"description": item["description"]} if item.get("description") else {}
    scope = places.named(item.get("scope") or {})
    if item.get("type") == "DIVIDER":
        return {**document, "type": "divider", **described, **scope}
    kind = next(kind for kind, name in _TYPES.items() if name == item["filterType"])
    document |= {"type": kind, **described}
    target = (item.get("targets") or [{}])[0]
    if target.get("datasetUuid") in places.dataset_slugs:
        document["dataset"] = places.dataset_slugs[target["datasetUuid"]]
    if (target.get("column") or {}).get("name"):
        document["column"] = target["column"]["name"]
    document |= _default_of(kind, document, item.get("defaultDataMask") or {})
    controls = {
        name: value
        for name, value in sorted((item.get("controlValues") or {}).items())
        if name not in _CONTROLS[kind] or value != _CONTROLS[kind][name]
    }
    if controls:
        document["controls"] = controls
    if parents := [names[id_] for id_ in item.get("cascadeParentIds") or [] if id_ in names]:
        document["parents"] = parents
    return {**document, **scope, **{name: item[name] for name in _FURTHER if item.get(name)}}


def _default_of(kind: str, document: Document, mask: Mapping[str, Any]) -> Document:
    kept = {name: mask[name] for name in _EMPTY_MASK if mask.get(name)}
    if not kept or not (mask.get("extraFormData") or (mask.get("filterState") or {}).get("value")):
        return {}
    value = (mask.get("filterState") or {}).get("value")
    if kind == "time" or (kind == "select" and isinstance(value, list)):
        short = _default_mask(kind, {**document, "default": value})
        if short["extraFormData"] == mask.get("extraFormData"):
            return {"default": value}
    return {"default_mask": kept}
