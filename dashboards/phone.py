"""The layout of a dashboard on a phone: one chart per row, cards in pairs, in the order of the desktop."""

from collections.abc import Iterator
from typing import Any, Final

from dashboards.files import Document
from dashboards.layout import COLUMNS

NARROW_COOKIE: Final = "clickstream_narrow"
"""The cookie that says 1 if the window is narrow; `superset/templates/head_custom_extra.html` sets it."""

_CARD_WIDTH: Final = 3
_CARD_HEIGHT: Final = 30
"""Charts up to this size on the desktop show a single number; two of them fit side by side."""


def stacked(position: Document) -> Document:
    """The same components in rows that suit a narrow window.

    Args:
        position: Superset's table of components; not changed.
    """
    return _Stacking(position).result


class _Stacking:
    """Replaces each row by several, and leaves everything outside of rows as it is."""

    def __init__(self, position: Document) -> None:
        self._position = position
        self.result: Document = {
            id_: dict(component) if isinstance(component, dict) else component
            for id_, component in position.items()
        }
        for id_, component in position.items():
            children = component.get("children") if isinstance(component, dict) else None
            if children and component["type"] not in ("ROW", "COLUMN"):
                self.result[id_]["children"] = list(self._rows_for(children))

    def _rows_for(self, children: list[str]) -> Iterator[str]:
        for child in children:
            component = self._position[child]
            if component["type"] == "ROW":
                del self.result[child]
                yield from self._split(child, component)
            else:
                yield child

    def _split(self, id_: str, row: Document) -> Iterator[str]:
        for number, group in enumerate(_groups(list(self._items(row)))):
            name = f"{id_}-narrow-{number}"
            self.result[name] = {**row, "id": name, "children": [item["id"] for item in group]}
            for item in group:
                meta = {**item["meta"], "width": COLUMNS // len(group)}
                parents = [*row["parents"], name]
                self.result[item["id"]] = {**item, "meta": meta, "parents": parents}
            yield name

    def _items(self, container: Document) -> Iterator[dict[str, Any]]:
        """What a row holds, with the contents of its columns in their places."""
        for child in container["children"]:
            component = self._position[child]
            if component["type"] == "COLUMN":
                del self.result[child]
                yield from self._items(component)
            else:
                yield component


def _groups(items: list[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    """Cards that follow each other in pairs, all else alone."""
    waiting: list[dict[str, Any]] = []
    for item in items:
        is_card = _is_card(item)
        if waiting and (not is_card or len(waiting) == 2):
            yield waiting
            waiting = []
        if is_card:
            waiting.append(item)
        else:
            yield [item]
    if waiting:
        yield waiting


def _is_card(item: dict[str, Any]) -> bool:
    meta = item["meta"]
    return bool(item["type"] == "CHART" and meta["width"] <= _CARD_WIDTH and meta["height"] <= _CARD_HEIGHT)
