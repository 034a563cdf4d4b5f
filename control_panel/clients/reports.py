"""The metrics of the reports, from the same views as the dashboards' charts."""

import csv
import io
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from clickstream.spreadsheet import escape_formula
from control_panel.charts import Outline
from control_panel.clients.readings import shared
from control_panel.clients.warehouse import query, rows

BIN_PIXELS: Final = 20
"""Size of a square in the view of click positions."""

MAX_PIXELS_RIGHT: Final = 4_000
MAX_PIXELS_DOWN: Final = 12_000
"""What the heatmap shows at most."""

_OF_SEGMENTS: Final = frozenset({"active_users", "devices", "sessions"})
"""Reports with a second, slower query for segments."""

_MAX_OUTLINES: Final = 15
_TAIL: Final = 0.02
_BOM: Final = "\ufeff"
"""Spreadsheets take a file without it for another encoding."""


@dataclass(frozen=True, slots=True)
class Filters:
    """What a report is about.

    Attributes:
        first_date: First day (UTC).
        last_date: Last day (UTC).
        sites: Hosts of the pages; empty for all.
        device_types: Types of device; empty for all.
        countries: Countries of the users; empty for all.
    """

    first_date: date
    last_date: date
    sites: tuple[str, ...] = ()
    device_types: tuple[str, ...] = ()
    countries: tuple[str, ...] = ()

    @property
    def is_segment(self) -> bool:
        """Whether only some of the events count."""
        return bool(self.sites or self.device_types or self.countries)

    def parameters(self) -> dict[str, Any]:
        """The parameters of the queries."""
        return {
            "first_date": self.first_date,
            "last_date": self.last_date,
            "sites": list(self.sites),
            "device_types": list(self.device_types),
            "countries": list(self.countries),
        }


@dataclass(frozen=True, slots=True)
class Bounds:
    """Which data there are.

    Attributes:
        first_date: First day with events.
        last_date: Last day with events.
        sites: Hosts of the pages.
        countries: Countries of the users.
    """

    first_date: date
    last_date: date
    sites: tuple[str, ...]
    countries: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ClickedPage:
    """A page of one site.

    Attributes:
        url_path: Its path.
        url_host: Its site.
    """

    url_path: str
    url_host: str


@shared(seconds=60)
def bounds() -> Bounds | bool:
    """The days, sites and countries that have data; False as long as no day has any."""
    row = query("report_bounds").to_pylist()[0]
    if row["last_date"] is None or not row["countries"]:
        return False
    return Bounds(row["first_date"], row["last_date"], tuple(row["sites"]), tuple(row["countries"]))


@shared(seconds=20)
def report(name: str, filters: Filters) -> pa.Table:
    """The rows of a report.

    Args:
        name: The file `report_<name>` in `warehouse/panel`; of a segment `report_<name>_of` if it exists.
        filters: What counts.
    """
    suffix = "_of" if name in _OF_SEGMENTS and filters.is_segment else ""
    return query(f"report_{name}{suffix}", **filters.parameters())


@shared(seconds=20)
def clicked_pages(filters: Filters) -> tuple[ClickedPage, ...]:
    """Pages with clicks that have a position, the most clicked first."""
    found = rows("clicked_pages", **filters.parameters())
    return tuple(ClickedPage(row["url_path"], row["url_host"]) for row in found)


@shared(seconds=20)
def page_clicks(page: ClickedPage, filters: Filters) -> pa.Table:
    """Where a page is clicked, by element and square."""
    return query("page_clicks", url_path=page.url_path, url_host=page.url_host, **filters.parameters())


def visible(clicks: pa.Table) -> pa.Table:
    """The clicks within the page as people see it: a few far-off positions would make all else a dot."""
    return clicks.filter((pc.field("x_bin") < MAX_PIXELS_RIGHT) & (pc.field("y_bin") < MAX_PIXELS_DOWN))


def count(clicks: pa.Table) -> int:
    """How many clicks the rows stand for."""
    return int(pc.sum(clicks["clicks"]).as_py() or 0)


def by_square(clicks: pa.Table) -> pa.Table:
    """Clicks by square, whatever element they hit."""
    summed = clicks.group_by(["x_bin", "y_bin"]).aggregate([("clicks", "sum")])
    return summed.rename_columns(["x_bin", "y_bin", "clicks"])


def outlines(clicks: pa.Table) -> list[Outline]:
    """Where the most clicked elements are, judging by their clicks.

    An outline encloses the middle 96 percent of an element's clicks each way. A click by keyboard has the
    position 0 and would stretch its element to the corner of the page, so it tells nothing where others do.
    """
    cells: dict[str, list[tuple[int, int, int]]] = {}
    for row in clicks.to_pylist():
        cells.setdefault(row["element_id"], []).append((row["x_bin"], row["y_bin"], row["clicks"]))
    most = sorted(cells.items(), key=lambda item: -sum(cell[2] for cell in item[1]))[:_MAX_OUTLINES]
    found = []
    for name, clicked in most:
        places = [place for place in clicked if place[:2] != (0, 0)] or clicked
        left, right = _middle([(x, weight) for x, _, weight in places])
        top, bottom = _middle([(y, weight) for _, y, weight in places])
        found.append(Outline(name, left, top, right, bottom))
    return found


def _middle(places: list[tuple[int, int]]) -> tuple[int, int]:
    """The bounds of the middle 96 percent of weighted positions."""
    total = sum(weight for _, weight in places)
    low = high = None
    passed = 0
    for position, weight in sorted(places):
        passed += weight
        if low is None and passed > total * _TAIL:
            low = position
        if high is None and passed >= total * (1 - _TAIL):
            high = position
    return low or 0, high or 0


def as_csv(table: pa.Table) -> bytes:
    """The table as a CSV file that is safe to open in a spreadsheet."""
    file = io.StringIO()
    writer = csv.writer(file)
    writer.writerow(table.column_names)
    for row in zip(*(column.to_pylist() for column in table.columns), strict=True):
        writer.writerow([escape_formula(cell) if isinstance(cell, str) else cell for cell in row])
    return (_BOM + file.getvalue()).encode("utf-8")
