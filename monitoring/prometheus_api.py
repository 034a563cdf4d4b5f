"""Asks Prometheus over its HTTP API."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import httpx
import msgspec

from clickstream.errors import ClickstreamError, ServiceUnavailableError
from clickstream.settings import MonitoringSettings

_ANSWER_SECONDS: Final = 15.0


class Series(msgspec.Struct, frozen=True):
    """A series, or a moment of it.

    Attributes:
        labels: Its labels, the metric's name among them as `__name__`.
        points: Times in seconds since 1970 with values, in order.
    """

    labels: Mapping[str, str]
    points: Sequence[tuple[float, float]]


class Alert(msgspec.Struct, frozen=True):
    """An alert that fires, or waits for its time."""

    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    state: str
    activeAt: str  # noqa: N815 -- Prometheus' name

    @property
    def name(self) -> str:
        """Its name."""
        return self.labels["alertname"]


class PrometheusApi:
    """The Prometheus of a stack."""

    def __init__(self, url: str) -> None:
        self._url = url
        # It is on this machine: a proxy that the environment names has no part in it.
        self._client = httpx.Client(base_url=url, timeout=_ANSWER_SECONDS, trust_env=False)

    @classmethod
    def of(cls, settings: MonitoringSettings) -> "PrometheusApi":
        """The one that the settings name."""
        return cls(f"http://{settings.prometheus_host}:{settings.prometheus_port}")

    def at(self, expression: str, moment: float | None = None) -> list[Series]:
        """The value of each series at a moment, or now.

        Raises:
            ServiceUnavailableError: Prometheus does not answer.
            ClickstreamError: It refuses the expression.
        """
        parameters = {"query": expression, **({"time": str(moment)} if moment is not None else {})}
        result = self._ask("/api/v1/query", parameters)["result"]
        return [Series(one["metric"], [_point(one["value"])]) for one in result]

    def over(self, expression: str, start: float, end: float, step_seconds: float) -> list[Series]:
        """The values of each series over a time; raises what `at` raises."""
        parameters = {"query": expression, "start": str(start), "end": str(end), "step": str(step_seconds)}
        result = self._ask("/api/v1/query_range", parameters)["result"]
        return [Series(one["metric"], [_point(value) for value in one["values"]]) for one in result]

    def label_values(self, label: str, metric: str) -> list[str]:
        """The values that a label of a metric has had lately."""
        found: list[str] = self._ask(f"/api/v1/label/{label}/values", {"match[]": metric})
        return found

    def alerts(self) -> list[Alert]:
        """The alerts that fire or wait for their time."""
        return msgspec.convert(self._ask("/api/v1/alerts", {})["alerts"], list[Alert])

    def firing(self) -> frozenset[str]:
        """The names of the alerts that fire."""
        return frozenset(alert.name for alert in self.alerts() if alert.state == "firing")

    def close(self) -> None:
        """Close its connections."""
        self._client.close()

    def _ask(self, path: str, parameters: Mapping[str, str]) -> Any:
        try:
            answer = self._client.get(path, params=dict(parameters))
        except httpx.HTTPError as error:
            raise ServiceUnavailableError(
                f"Prometheus does not answer at {self._url}.",
                hint="make status shows whether it runs; make prometheus fetches it where it is missing.",
            ) from error
        body = answer.json()
        if body.get("status") != "success":
            raise ClickstreamError(f"Prometheus refuses a query: {body.get('error', answer.status_code)}")
        return body["data"]


def _point(pair: Sequence[Any]) -> tuple[float, float]:
    return float(pair[0]), float(pair[1])
