"""The layout of a dashboard: in files a tree that names charts by slug, in Superset a table of components."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from dashboards.fields import refuse_unknown, required
from dashboards.files import AssetError, Document
from dashboards.identity import asset_uuid, free_slug

COLUMNS: Final = 12
CHART_HEIGHT: Final = 50
CHART_WIDTH: Final = 4
_TRANSPARENT: Final = "BACKGROUND_TRANSPARENT"
_HEADER_SIZE: Final = "MEDIUM_HEADER"

_KEYS: Final[Mapping[str, Sequence[str]]] = {
    "chart": ("width", "height", "title"),
    "markdown": ("width", "height"),
    "header": ("size", "background"),
    "divider": (),
    "row": ("background",),
    "column": ("width", "background"),
    "tabs": (),
}


def compile_layout(where: str, title: str, layout: Sequence[Document], titles: Mapping[str, str]) -> Document:
    """Superset's components of a layout.

    Args:
        where: The file, for messages.
        title: The dashboard's title.
        layout: The tree.
        titles: The charts that there are: title by slug.

    Raises:
        AssetError: The tree has something that is not a component, or names a chart that does not exist.
    """
    return _LayoutCompiler(where, titles).compile(title, layout)


def chart_numbers(layout: Sequence[Document]) -> dict[str, int]:
    """A number for each chart of a layout, which stands for its id until the import knows the true one."""
    slugs = dict.fromkeys(node["chart"] for node in nodes(layout) if "chart" in node)
    return {slug: number for number, slug in enumerate(slugs, start=1)}


def tab_ids(layout: Sequence[Document]) -> dict[str, str]:
    """The component id of each tab, by its title."""
    found: dict[str, str] = {}
    for node in nodes(layout):
        if "tab" in node and node["tab"] not in found:
            found[node["tab"]] = f"TAB-{free_slug(node['tab'], {id_[4:] for id_ in found.values()})}"
    return found


def nodes(layout: Sequence[Document]) -> Iterator[Document]:
    """Every node of the tree, from the top to the bottom."""
    for node in layout:
        yield node
        for name in ("row", "column", "tabs", "content"):
            if isinstance(node.get(name), list):
                yield from nodes(node[name])


class _LayoutCompiler:
    """Gives ids to components, and collects them."""

    def __init__(self, where: str, titles: Mapping[str, str]) -> None:
        self._where = where
        self._titles = titles
        self._components: Document = {}
        self._counts: dict[str, int] = {}
        self._numbers: dict[str, int] = {}
        self._tab_ids: dict[str, str] = {}

    def compile(self, title: str, layout: Sequence[Document]) -> Document:
        self._numbers = chart_numbers(layout)
        self._tab_ids = tab_ids(layout)
        # Tabs alone are the dashboard's own; Superset keeps an empty grid beside them.
        has_top_tabs = len(layout) == 1 and "tabs" in layout[0]
        grid_children = [] if has_top_tabs else self._children(layout, ["ROOT_ID", "GRID_ID"])
        top = self._children(layout, ["ROOT_ID"]) if has_top_tabs else ["GRID_ID"]
        return {
            "DASHBOARD_VERSION_KEY": "v2",
            "ROOT_ID": {"type": "ROOT", "id": "ROOT_ID", "children": top},
            "GRID_ID": {
                "type": "GRID",
                "id": "GRID_ID",
                "children": grid_children,
                "parents": ["ROOT_ID"],
            },
            "HEADER_ID": {"type": "HEADER", "id": "HEADER_ID", "meta": {"text": title}},
            **self._components,
        }

    def _children(self, layout: Sequence[Document], parents: list[str]) -> list[str]:
        return [self._node(node, parents) for node in layout]

    def _node(self, node: Document, parents: list[str]) -> str:
        kind = next((kind for kind in _KEYS if kind in node), None)
        if kind is None:
            raise AssetError(f"{self._where}: the layout has {node}; a node is one of {', '.join(_KEYS)}.")
        refuse_unknown(f"{self._where}: {kind} of the layout", node, (kind, *_KEYS[kind]))
        id_: str = getattr(self, f"_{kind}")(node, parents)
        return id_

    def _add(
        self, kind: str, id_: str, meta: Document, parents: list[str], children: Sequence[Document]
    ) -> str:
        component = {"type": kind, "id": id_, "meta": meta, "parents": parents, "children": []}
        self._components[id_] = component
        component["children"] = self._children(children, [*parents, id_])
        return id_

    def _next_id(self, prefix: str) -> str:
        self._counts[prefix] = self._counts.get(prefix, 0) + 1
        number = self._counts[prefix]
        is_chart = prefix.startswith("CHART-")
        return prefix if is_chart and number == 1 else f"{prefix}-{number}"

    def _chart(self, node: Document, parents: list[str]) -> str:
        slug = node["chart"]
        if slug not in self._titles:
            raise AssetError(f"{self._where}: the layout names the chart {slug}, which has no file.")
        meta = {
            "chartId": self._numbers[slug],
            "uuid": asset_uuid("charts", slug),
            "sliceName": self._titles[slug],
            "width": node.get("width", CHART_WIDTH),
            "height": node.get("height", CHART_HEIGHT),
            **({"sliceNameOverride": node["title"]} if "title" in node else {}),
        }
        return self._add("CHART", self._next_id(f"CHART-{slug}"), meta, parents, [])

    def _markdown(self, node: Document, parents: list[str]) -> str:
        meta = {
            "code": node["markdown"],
            "width": node.get("width", CHART_WIDTH),
            "height": node.get("height", CHART_HEIGHT),
        }
        return self._add("MARKDOWN", self._next_id("MARKDOWN"), meta, parents, [])

    def _header(self, node: Document, parents: list[str]) -> str:
        meta = {
            "text": node["header"],
            "headerSize": node.get("size", _HEADER_SIZE),
            "background": node.get("background", _TRANSPARENT),
        }
        return self._add("HEADER", self._next_id("HEADER"), meta, parents, [])

    def _divider(self, _node: Document, parents: list[str]) -> str:
        return self._add("DIVIDER", self._next_id("DIVIDER"), {}, parents, [])

    def _row(self, node: Document, parents: list[str]) -> str:
        meta = {"background": node.get("background", _TRANSPARENT)}
        return self._add("ROW", self._next_id("ROW"), meta, parents, node["row"] or [])

    def _column(self, node: Document, parents: list[str]) -> str:
        meta = {
            "width": node.get("width", CHART_WIDTH),
            "background": node.get("background", _TRANSPARENT),
        }
        return self._add("COLUMN", self._next_id("COLUMN"), meta, parents, node["column"] or [])

    def _tabs(self, node: Document, parents: list[str]) -> str:
        tabs = self._add("TABS", self._next_id("TABS"), {}, parents, [])
        self._components[tabs]["children"] = [self._tab(tab, [*parents, tabs]) for tab in node["tabs"]]
        return tabs

    def _tab(self, node: Document, parents: list[str]) -> str:
        refuse_unknown(f"{self._where}: a tab of the layout", node, ("tab", "content"))
        title = required(f"{self._where}: a tab of the layout", node, "tab")
        meta = {"text": title, "defaultText": "Tab title", "placeholder": "Tab title"}
        id_ = self._tab_ids[title]
        if id_ in self._components:
            raise AssetError(f"{self._where}: two tabs are called {title}.")
        return self._add("TAB", id_, meta, parents, node.get("content") or [])


def decompile_layout(position: Document, slugs: Mapping[str, str]) -> list[Document]:
    """The tree of a layout.

    Args:
        position: Superset's components.
        slugs: Slug of each chart by its id (`uuid`).
    """
    return _LayoutDecompiler(position, slugs).decompile()


class _LayoutDecompiler:
    """Follows components from the root; what does not hang there is no part of the dashboard."""

    def __init__(self, position: Document, slugs: Mapping[str, str]) -> None:
        self._position = position
        self._slugs = slugs

    def decompile(self) -> list[Document]:
        top = self._position["ROOT_ID"]["children"]
        return self._children("GRID_ID") if top == ["GRID_ID"] else [self._node(id_) for id_ in top]

    def _children(self, id_: str) -> list[Document]:
        children = (self._node(child) for child in self._position.get(id_, {}).get("children", []))
        return [child for child in children if child]

    def _node(self, id_: str) -> Document:
        component = self._position.get(id_)
        return self._component(id_, component["type"], component.get("meta", {})) if component else {}

    def _component(self, id_: str, type_: str, meta: Document) -> Document:
        node: Document = {}
        match type_:
            case "CHART":
                node = self._chart(meta)
            case "MARKDOWN":
                node = {"markdown": meta.get("code", ""), **self._size(meta)}
            case "HEADER":
                size = meta.get("headerSize", _HEADER_SIZE)
                shown_size = {} if size == _HEADER_SIZE else {"size": size}
                node = {"header": meta.get("text", ""), **shown_size, **self._background(meta)}
            case "DIVIDER":
                node = {"divider": True}
            case "ROW":
                node = {**self._background(meta), "row": self._children(id_)}
            case "COLUMN":
                width = {"width": meta.get("width", CHART_WIDTH)}
                node = {**width, **self._background(meta), "column": self._children(id_)}
            case "TABS":
                node = {"tabs": self._children(id_)}
            case "TAB":
                node = {"tab": meta.get("text", ""), "content": self._children(id_)}
        return node

    def _chart(self, meta: Document) -> Document:
        slug = self._slugs.get(str(meta.get("uuid")))
        if slug is None:
            return {}
        override = meta.get("sliceNameOverride")
        shown = {"title": override} if override and override != meta.get("sliceName") else {}
        return {"chart": slug, **shown, **self._size(meta)}

    @staticmethod
    def _size(meta: Mapping[str, Any]) -> Document:
        return {"width": meta.get("width", CHART_WIDTH), "height": meta.get("height", CHART_HEIGHT)}

    @staticmethod
    def _background(meta: Mapping[str, Any]) -> Document:
        background = meta.get("background", _TRANSPARENT)
        return {} if background == _TRANSPARENT else {"background": background}
