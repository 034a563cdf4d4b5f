"""The variables in the dashboards' queries, filled in as Grafana does it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Variables:
    """What stands for the variables.

    Attributes:
        service: A regular expression for the chosen services.
        rate_interval: The window of rates, such as `1m`.
    """

    service: str
    rate_interval: str


def filled_in(expression: str, variables: Variables) -> str:
    """The expression as Prometheus is asked it."""
    return expression.replace("$__rate_interval", variables.rate_interval).replace(
        "$service", variables.service
    )


def rate_interval(step_seconds: float, scrape_seconds: float) -> str:
    """Grafana's `$__rate_interval`: the step and one scrape more, and four scrapes at least."""
    return f"{max(step_seconds + scrape_seconds, 4 * scrape_seconds):.0f}s"
