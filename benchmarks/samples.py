"""What is measured, what it is to reach, and how rounds become one figure."""

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final


@dataclass(frozen=True, slots=True)
class Extent:
    """How much is measured.

    Attributes:
        events: Of the generated file, and of the topic.
        rounds: How often everything is measured.
        seconds: How long events are sent to see when they are in the views.
        dashboard_events: In the warehouse whose dashboards are opened.
    """

    events: int
    rounds: int
    seconds: float
    dashboard_events: int


@dataclass(frozen=True, slots=True)
class Subject:
    """One line of the table.

    Attributes:
        name: What it is.
        unit: Of its figures.
        target: What it is to reach, from the design: at least for a rate, below for a time; None if only
            what it takes beside its baseline is told.
        baseline: What does the same beside it with the least work there is; empty if nothing does.
        is_rate: Whether more is better.
    """

    name: str
    unit: str
    target: float | None
    baseline: str = ""
    is_rate: bool = True

    def is_reached(self, figure: float) -> bool | None:
        """Whether the figure is as good as the target; None without one."""
        if self.target is None:
            return None
        return figure >= self.target if self.is_rate else figure < self.target

    def times(self, figure: float, baseline: float) -> float:
        """How many times the baseline's time it takes."""
        return baseline / figure if self.is_rate else figure / baseline


CSV_TO_RAW: Final = Subject("CSV → raw", "events/s", 100_000, "engine alone")
RAW_TO_MARTS: Final = Subject("raw → marts", "events/s", 50_000, "engine alone")
POST_SINGLE: Final = Subject("POST, one event", "requests per CPU s", 4_000, "bare FastAPI route")
POST_BATCH: Final = Subject("POST, 100 events", "events per CPU s", 60_000, "bare FastAPI route")
POST_HALF_LOAD: Final = Subject("POST at half load, p99", "ms", 25, "bare FastAPI route", is_rate=False)
TOPIC_TO_RAW: Final = Subject("topic → raw", "events/s", 60_000, "topic alone")
SENT_TO_RAW: Final = Subject("sent → raw, p95", "s", 5, is_rate=False)
SENT_TO_VIEWS: Final = Subject("sent → views, p95", "s", 90, is_rate=False)
CHART_QUERY: Final = Subject("chart's query, the slowest", "ms", 300, is_rate=False)
CHART_REQUEST: Final = Subject("chart's request, the slowest", "ms", None, "its query alone", is_rate=False)
DASHBOARD_OPENED: Final = Subject(
    "overview opened until drawn", "s", 3, "its queries, one by one", is_rate=False
)
PANEL_OPENED: Final = Subject(
    "panel's page opened until drawn, the slowest", "s", 1.5, "its emptiest page", is_rate=False
)


@dataclass(frozen=True, slots=True)
class Sample:
    """What one round gave.

    Attributes:
        subject: What was measured.
        figure: How it did.
        baseline: How the baseline did in the same round; None if there is none.
        details: More figures by their names, units within.
        about: Which of many it was, if the figure is that of the worst.
        parts: The figures of each of the many, by its name; too many for the table.
    """

    subject: Subject
    figure: float
    baseline: float | None = None
    details: Mapping[str, float] = field(default_factory=dict)
    about: str = ""
    parts: Mapping[str, Mapping[str, float]] = field(default_factory=dict)


def summarize(samples: Sequence[Sample]) -> Sample:
    """The medians over the rounds of one subject; of memory the most, of many parts those of the first."""
    baselines = [sample.baseline for sample in samples if sample.baseline is not None]
    return Sample(
        samples[0].subject,
        statistics.median(sample.figure for sample in samples),
        statistics.median(baselines) if baselines else None,
        {
            name: (max if name.endswith("MiB") else statistics.median)(
                [sample.details[name] for sample in samples]
            )
            for name in samples[0].details
        },
        samples[0].about,
        samples[0].parts,
    )


def median_times(samples: Sequence[Sample]) -> float | None:
    """The median of how many times the baseline's time each round took; None without a baseline."""
    ratios = [
        sample.subject.times(sample.figure, sample.baseline)
        for sample in samples
        if sample.baseline is not None
    ]
    return statistics.median(ratios) if ratios else None


def percentile(values: Sequence[float], percent: float) -> float:
    """The smallest value that is not exceeded by this percentage of the values."""
    return sorted(values)[max(0, math.ceil(len(values) * percent / 100) - 1)]


def percentiles(values: Sequence[float], unit: str) -> dict[str, float]:
    """The usual three, by names that tell the unit."""
    return {f"p{percent} {unit}": percentile(values, percent) for percent in (50, 95, 99)}
