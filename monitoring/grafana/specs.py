"""What a specification of a dashboard may say; one file of specs/ is one dashboard."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final, Literal

import msgspec
import yaml

SPECS: Final = Path(__file__).parent / "specs"

PanelType = Literal["stat", "timeseries", "table", "bargauge", "state-timeline"]


class QuerySpec(msgspec.Struct, forbid_unknown_fields=True):
    """One question to Prometheus, and how its series are called."""

    expr: str
    legend: str = ""


class PanelSpec(msgspec.Struct, forbid_unknown_fields=True):
    """One panel.

    Attributes:
        title: What it shows.
        type: How it shows it.
        unit: Grafana's id of the unit.
        description: What is normal, and what to do if it is not.
        thresholds: Colours from a value on; the first one has none.
        queries: What it asks.
        width: Of the 24 columns.
        height: In grid rows; 0 for the type's usual height.
        stack: Whether the series add up.
        mappings: Words and colours for values.
        matrix: For a table, the labels whose values become its rows and its columns.
    """

    title: str
    type: PanelType
    unit: str
    description: str
    thresholds: list[tuple[str, float | None]]
    queries: list[QuerySpec]
    width: int = 8
    height: int = 0
    stack: bool = False
    mappings: dict[str, tuple[str, str]] = {}
    matrix: tuple[str, str] | None = None


class RowSpec(msgspec.Struct, forbid_unknown_fields=True):
    """Panels under a heading."""

    title: str
    panels: list[PanelSpec]


class DashboardSpec(msgspec.Struct, forbid_unknown_fields=True):
    """One dashboard.

    Attributes:
        title: Its name.
        uid: By which Grafana knows it.
        description: What it is for.
        service: Where the values of the variable `service` come from.
        rows: Its panels.
    """

    title: str
    uid: str
    description: str
    service: str
    rows: list[RowSpec]


def read_specs() -> Mapping[str, DashboardSpec]:
    """All specifications, by the name of their file.

    Raises:
        msgspec.ValidationError: One says what no specification may say.
    """
    return {
        path.stem: msgspec.convert(yaml.safe_load(path.read_text(encoding="utf-8")), DashboardSpec)
        for path in sorted(SPECS.glob("*.yaml"))
    }
