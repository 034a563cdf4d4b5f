"""How far the stream is behind, asked of the broker by a thread of its own, so that a stall shows as well."""

import threading
from collections.abc import Mapping
from typing import Final

from kafka import TopicPartition

from clickstream.etl.stream import metrics
from clickstream.etl.stream.health import READING
from clickstream.etl.stream.lifecycle import note, say
from clickstream.etl.stream.retry import describe
from clickstream.settings import BrokerSettings
from clickstream.sources.lag import LagProbe

EVERY_SECONDS: Final = 5.0


class LagWatcher(threading.Thread):
    """Sets the metrics of the lag every few seconds until it is stopped."""

    def __init__(self, settings: BrokerSettings) -> None:
        super().__init__(name="lag", daemon=True)
        self._settings = settings
        self._stopping = threading.Event()
        self._probe = LagProbe(settings, "clickstream-lag")
        self._reached: Mapping[TopicPartition, int] = {}

    def run(self) -> None:
        """Asks again and again; says once that the broker is away, and once that it is back."""
        was_up = True
        while not self._stopping.is_set():
            problem = self._measure()
            if was_up and problem:
                say(f"The broker at {self._settings.bootstrap_servers} is away: {problem}")
            elif not was_up and not problem:
                say("The broker is back.")
            was_up = not problem
            metrics.BROKER_UP.set(was_up)
            self._stopping.wait(EVERY_SECONDS)
        self._probe.close()

    def stop(self) -> None:
        """Ends the thread soon."""
        self._stopping.set()

    def _measure(self) -> str:
        """Sets the lag of each partition; gives what is wrong in words, or nothing."""
        try:
            lags = self._probe.measure()
        except Exception as error:
            return describe(error)
        for partition, lag in lags.items():
            metrics.LAG.labels(topic=partition.topic, partition=partition.partition).set(lag)
        reached = dict(self._probe.stored)
        note(READING, is_wrong=any(lags.values()) and reached == self._reached)
        self._reached = reached
        return ""
