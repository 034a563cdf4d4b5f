"""Probes: what is seen, and what is shown where nothing can be seen."""

import threading
import time
from collections.abc import Sequence

from prometheus_client.metrics_core import Metric

from monitoring.exporter import metrics
from monitoring.exporter.probes import HANGS_AFTER_SECONDS, Probe, ProbeCollector
from tests.waiting import wait_until


class Looks:
    """Succeeds or fails as it is told."""

    def __init__(self) -> None:
        self.fails = False

    def __call__(self) -> Sequence[Metric]:
        if self.fails:
            raise OSError("the password is hunter2")
        return [metrics.PENDING.single(7)]


def samples(probe: Probe) -> dict[str, float]:
    return {
        sample.name: sample.value for family in ProbeCollector([probe]).collect() for sample in family.samples
    }


def test_what_was_seen_last_is_shown() -> None:
    probe = Probe("events", Looks(), 30)
    probe.look_once()

    assert samples(probe)[metrics.PENDING.name] == 7
    assert samples(probe)[metrics.PROBE_UP.name] == 1


def test_what_can_no_longer_be_seen_is_not_shown() -> None:
    looks = Looks()
    probe = Probe("events", looks, 30)
    probe.look_once()
    looks.fails = True
    probe.look_once()

    assert metrics.PENDING.name not in samples(probe)
    assert samples(probe)[metrics.PROBE_UP.name] == 0


def test_before_the_first_look_a_probe_is_not_up() -> None:
    assert samples(Probe("events", Looks(), 30)) == {metrics.PROBE_UP.name: 0}


def test_the_text_of_an_error_stays_out_of_the_log(caplog) -> None:  # type: ignore[no-untyped-def]
    looks = Looks()
    looks.fails = True
    Probe("events", looks, 30).look_once()

    assert caplog.messages == ["The probe events fails: OSError"]


def test_a_look_that_never_ends_is_told_from_one_that_takes_long() -> None:
    begun, may_end = threading.Event(), threading.Event()

    def look() -> Sequence[Metric]:
        begun.set()
        may_end.wait()
        return []

    probe = Probe("broker", look, 30)
    probe.start()
    begun.wait()
    started = time.monotonic()
    try:
        assert not probe.hangs(started)
        assert probe.hangs(started + HANGS_AFTER_SECONDS + 1)
    finally:
        may_end.set()
    wait_until(lambda: not probe.hangs(started + HANGS_AFTER_SECONDS + 1), "the look has ended")
    probe.stop()
