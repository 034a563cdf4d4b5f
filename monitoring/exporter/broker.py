"""What the broker says of the stream: how far it is behind, whether it runs or not."""

from collections.abc import Sequence

from prometheus_client.metrics_core import Metric

from clickstream.settings import BrokerSettings
from clickstream.sources.lag import LagProbe
from monitoring.exporter import metrics


class BrokerLag:
    """The lag of each partition; for one thread."""

    def __init__(self, settings: BrokerSettings) -> None:
        self._probe = LagProbe(settings, "clickstream-exporter")

    def __call__(self) -> Sequence[Metric]:
        """Looks once."""
        lags = self._probe.measure()
        return [
            metrics.BROKER_LAG.family(
                ((partition.topic, str(partition.partition)), lag) for partition, lag in lags.items()
            )
        ]
