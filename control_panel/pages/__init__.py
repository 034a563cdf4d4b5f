"""The pages of the panel, one thin module each.

A module is a page once it has a constant `PAGE` and a function `render()`; the navigation finds it by itself.
"""

import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum, unique
from functools import cache


@unique
class Section(StrEnum):
    """Groups of pages in the navigation, in this order."""

    SYSTEM = "System"
    DATA = "Data"
    INSIGHT = "Insight"


@dataclass(frozen=True, slots=True)
class PageInfo:
    """How a page appears in the navigation.

    Attributes:
        title: Its name.
        icon: A Material symbol, such as `:material/home:`.
        section: Its group.
        order: Its place within the group.
        path: Its address below the panel's.
        is_start: Whether the panel opens with it.
    """

    title: str
    icon: str
    section: Section
    order: int
    path: str
    is_start: bool = False


@dataclass(frozen=True, slots=True)
class PanelPage:
    """A page with what draws it."""

    info: PageInfo
    render: Callable[[], None]


@cache
def all_pages() -> tuple[PanelPage, ...]:
    """All pages in the order of the navigation."""
    modules = [
        importlib.import_module(f"{__name__}.{found.name}") for found in pkgutil.iter_modules(__path__)
    ]
    pages = [PanelPage(module.PAGE, module.render) for module in modules if hasattr(module, "PAGE")]
    sections = list(Section)
    return tuple(sorted(pages, key=lambda page: (sections.index(page.info.section), page.info.order)))
