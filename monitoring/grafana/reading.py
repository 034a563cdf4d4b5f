"""Reads the dashboards' files as Grafana does, and asks what their panels ask."""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from monitoring.grafana.dashboards import DASHBOARDS
from monitoring.grafana.queries import Variables, filled_in, rate_interval
from monitoring.prometheus_api import PrometheusApi, Series

ROW: Final = "row"
_POINTS: Final = 180
"""Of a line: more than a chart of this width can show would be waste."""

_STEP_UNITS: Final = (5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200)


class GridPosition(msgspec.Struct):
    """Where a panel lies, in columns of 24 and in rows."""

    x: int
    y: int
    w: int
    h: int


class Target(msgspec.Struct):
    """One question of a panel."""

    expr: str
    legend: str = msgspec.field(name="legendFormat", default="")
    instant: bool = False


class ThresholdStep(msgspec.Struct):
    """The colour from a value on; None is the smallest."""

    color: str
    value: float | None = None


class Thresholds(msgspec.Struct):
    """The colours of values."""

    steps: list[ThresholdStep]

    def color_of(self, value: float) -> str:
        """The colour of a value."""
        reached = [step for step in self.steps if step.value is None or value >= step.value]
        return reached[-1].color if reached else "gray"


class FieldDefaults(msgspec.Struct):
    """How values look."""

    unit: str
    thresholds: Thresholds
    mappings: list[dict[str, Any]] = []
    custom: dict[str, Any] = {}


class FieldConfig(msgspec.Struct):
    """How values look, by default."""

    defaults: FieldDefaults


class Transformation(msgspec.Struct):
    """What is made of the rows of a table."""

    id: str
    options: dict[str, Any] = {}


class Panel(msgspec.Struct, rename={"grid": "gridPos", "field_config": "fieldConfig"}):
    """One panel, or the heading of a row."""

    id: int
    type: str
    title: str
    grid: GridPosition
    description: str = ""
    targets: list[Target] = []
    field_config: FieldConfig | None = None
    transformations: list[Transformation] = []

    @property
    def look(self) -> FieldDefaults:
        """How its values look.

        Raises:
            ValueError: It is a heading, which has no values.
        """
        if self.field_config is None:
            raise ValueError(f"{self.title} has no values.")
        return self.field_config.defaults

    @property
    def is_stacked(self) -> bool:
        """Whether its series add up."""
        return bool(self.look.custom.get("stacking", {}).get("mode") == "normal")


class _Templating(msgspec.Struct):
    list: list[dict[str, Any]]


class Dashboard(msgspec.Struct):
    """One dashboard's file."""

    uid: str
    title: str
    description: str
    panels: list[Panel]
    templating: _Templating

    @property
    def service_values(self) -> tuple[str, str]:
        """The metric and the label whose values the variable `service` takes."""
        [variable] = [one for one in self.templating.list if one["name"] == "service"]
        found = re.fullmatch(r"label_values\((\w+), (\w+)\)", variable["query"]["query"])
        if found is None:
            raise ValueError(f"{self.uid} takes its services from {variable['query']['query']!r}.")
        return found[1], found[2]


@dataclass(frozen=True, slots=True)
class Span:
    """The time that is looked at.

    Attributes:
        start: Its start, in seconds since 1970.
        end: Its end.
        scrape_seconds: How often Prometheus asks for metrics.
    """

    start: float
    end: float
    scrape_seconds: float

    @property
    def step_seconds(self) -> float:
        """The time between two points of a line."""
        least = max((self.end - self.start) / _POINTS, self.scrape_seconds)
        return next((float(unit) for unit in _STEP_UNITS if unit >= least), float(_STEP_UNITS[-1]))


@dataclass(frozen=True, slots=True)
class Answer:
    """One series as a panel shows it."""

    name: str
    series: Series


def load_dashboards() -> Mapping[str, Dashboard]:
    """All dashboards, by the name of their file."""
    return {
        path.stem: msgspec.json.decode(path.read_bytes(), type=Dashboard)
        for path in sorted(DASHBOARDS.glob("*.json"))
    }


def ask(api: PrometheusApi, panel: Panel, span: Span, service: str = ".*") -> list[Answer]:
    """What a panel shows; values that are not numbers are left out, as in Grafana.

    Args:
        api: Whom to ask.
        panel: The panel.
        span: The time; a table and a bar gauge show its end.
        service: A regular expression for the chosen services.

    Raises:
        ServiceUnavailableError: Prometheus does not answer.
        ClickstreamError: It refuses a query.
    """
    variables = Variables(service, rate_interval(span.step_seconds, span.scrape_seconds))
    # Points that stay where they are when the time moves on, so that lines don't tremble.
    step = span.step_seconds
    start, end = math.floor(span.start / step) * step, math.floor(span.end / step) * step
    answers = []
    for target in panel.targets:
        expression = filled_in(target.expr, variables)
        found = api.at(expression, span.end) if target.instant else api.over(expression, start, end, step)
        answers += [
            Answer(_name(target.legend, one.labels), one) for one in map(_finite, found) if one.points
        ]
    return answers


def _finite(series: Series) -> Series:
    return Series(series.labels, [point for point in series.points if math.isfinite(point[1])])


def _name(legend: str, labels: Mapping[str, str]) -> str:
    """The legend with the labels' values in place of their names."""
    return re.sub(r"\{\{\s*(\w+)\s*\}\}", lambda found: labels.get(found[1], ""), legend)


def by_lines(panels: Sequence[Panel]) -> list[list[Panel]]:
    """The panels that lie side by side, line by line; a heading is a line of its own."""
    lines: dict[int, list[Panel]] = {}
    for panel in panels:
        lines.setdefault(panel.grid.y, []).append(panel)
    return [sorted(line, key=lambda panel: panel.grid.x) for _, line in sorted(lines.items())]
