"""Colours: the same for the same things as in Superset's dashboards (`superset/assets/dashboards/`)."""

from typing import Final

COLOURS: Final = {
    "page_views": "#5B8C5A",
    "views": "#7A8DA8",
    "clicks": "#E8743B",
    "dau": "#19A979",
    "wau": "#13A4B4",
    "mau": "#5E5CE6",
    "average_seconds": "#C2185B",
    "median_seconds": "#7E57C2",
    "sessions": "#3D6EC9",
    "visits": "#3D6EC9",
    "single_event_sessions": "#9E9E9E",
    "desktop": "#3D6EC9",
    "mobile": "#EFB118",
    "tablet": "#945ECF",
    "csv": "#8D6E63",
    "http": "#2E7D32",
    "tracker": "#00ACC1",
    "broker": "#F57C00",
    "replay": "#9E9E9E",
}
"""Colour of a series by its column or value."""

OTHERS: Final = ("#1B7A96", "#E8743B", "#5E5CE6", "#19A979", "#C2185B", "#8D6E63")
"""Colours of anything else, in turn."""


def colour_of(name: str, place: int = 0) -> str:
    """The colour of a series, which is the one of this place in its chart."""
    return COLOURS.get(name, OTHERS[place % len(OTHERS)])
