"""The dashboards' files as the panel reads them."""

import pytest

from monitoring.grafana.queries import Variables, filled_in, rate_interval
from monitoring.grafana.reading import Panel, Span, Thresholds, ThresholdStep, ask, load_dashboards
from monitoring.prometheus_api import PrometheusApi, Series


@pytest.mark.parametrize(
    ("minutes", "step"), [(15, 10), (60, 30), (360, 120), (1440, 600), (10_080, 3600)], ids=str
)
def test_a_line_has_few_points_at_round_times(minutes: int, step: int) -> None:
    assert Span(0, 60 * minutes, scrape_seconds=10).step_seconds == step


@pytest.mark.parametrize(("step", "interval"), [(10, "40s"), (30, "40s"), (120, "130s")])
def test_rates_look_back_over_four_scrapes_at_least(step: float, interval: str) -> None:
    assert rate_interval(step, 10) == interval


def test_variables_are_filled_in() -> None:
    variables = Variables(service="api|mage", rate_interval="1m")

    filled = filled_in('rate(up{job=~"$service"}[$__rate_interval])', variables)

    assert filled == 'rate(up{job=~"api|mage"}[1m])'


def test_a_value_has_the_colour_of_the_last_threshold_that_it_reaches() -> None:
    steps = [ThresholdStep("red"), ThresholdStep("green", 0), ThresholdStep("red", 1)]

    assert [Thresholds(steps).color_of(value) for value in (-1, 0, 0.5, 1)] == [
        "red",
        "green",
        "green",
        "red",
    ]


class Recorded(PrometheusApi):
    """Answers each question with the same series, and remembers the questions."""

    def __init__(self, series: list[Series]) -> None:
        super().__init__("http://127.0.0.1:9")
        self.series = series
        self.asked: list[tuple[str, float, float, float]] = []

    def over(self, expression: str, start: float, end: float, step_seconds: float) -> list[Series]:
        self.asked.append((expression, start, end, step_seconds))
        return self.series


def panel(title: str) -> Panel:
    [found] = [one for board in load_dashboards().values() for one in board.panels if one.title == title]
    return found


def test_series_are_named_by_their_labels_and_what_is_no_number_is_left_out() -> None:
    api = Recorded(
        [
            Series({"status": "202"}, [(0.0, 4.2), (30.0, float("nan"))]),
            Series({"status": "503"}, [(0.0, float("nan"))]),
        ]
    )

    answers = ask(api, panel("Requests by status"), Span(0, 3600, 10))

    assert [(one.name, list(one.series.points)) for one in answers] == [("202", [(0.0, 4.2)])]


def test_points_stay_where_they_are_when_the_time_moves_on() -> None:
    api = Recorded([])

    for end in (7201.0, 7207.0):
        ask(api, panel("Requests by status"), Span(end - 3600, end, 10))

    assert api.asked[0][1:] == api.asked[1][1:] == (3600.0, 7200.0, 30.0)


@pytest.mark.parametrize("name", load_dashboards())
def test_every_dashboard_says_where_its_services_come_from(name: str) -> None:
    metric, label = load_dashboards()[name].service_values

    assert metric.startswith("clickstream_")
    assert label in {"component", "job"}
