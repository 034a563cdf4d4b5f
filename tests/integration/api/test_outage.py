"""The broker goes away, or the service is asked to stop: what was accepted is there, and there once."""

import os
import signal
import threading
from collections import Counter
from pathlib import Path

import httpx

from tests.integration.api.service import ApiStack, OwnApi, Record, Senders, event
from tests.waiting import wait_until


def _ids(records: list[Record]) -> Counter[int]:
    return Counter(one["id"] for record in records for one in record.events)


def _assert_each_is_there_once(accepted: set[int], records: list[Record]) -> None:
    found = _ids(records)
    assert accepted
    assert accepted - set(found) == set(), "an accepted event is lost"
    assert [one for one in accepted if found[one] > 1] == [], "an accepted event is there twice"


def test_a_stopped_broker_is_told_in_time_and_nothing_accepted_is_lost(api: ApiStack) -> None:
    with api.records() as read:
        with Senders(api.url) as senders:
            wait_until(lambda: len(senders.accepted) > 100, "events flow")
            api.stop("kafka")
            wait_until(lambda: len(senders.refusals) > 20, "the outage is told")
            ready = api.client.get("/health/ready")
            assert (ready.status_code, ready.json()["dependencies"]["broker"]["status"]) == (503, "away")
            assert api.client.get("/health/live").status_code == 200
            assert api.metric("clickstream_api_broker_up") == 0
            mixed = api.post([event(), event(type="hover")])
            api.start("kafka")
            before = len(senders.accepted)
            wait_until(lambda: len(senders.accepted) > before + 100, "events flow again")
        wait_until(api.is_ready, "the service is ready again")
        _assert_each_is_there_once(senders.accepted, read())
    assert senders.slowest_seconds < 5
    for refusal in [*senders.refusals, mixed]:
        assert (refusal.status_code, refusal.json()["code"]) == (503, "broker_unavailable")
        assert 1 <= int(refusal.headers["retry-after"]) <= 5


def test_a_killed_broker_comes_back_and_nothing_accepted_is_lost(api: ApiStack) -> None:
    with api.records() as read:
        with Senders(api.url) as senders:
            wait_until(lambda: len(senders.accepted) > 100, "events flow")
            killed = api.pid("kafka")
            os.kill(killed, signal.SIGKILL)
            wait_until(lambda: api.pid("kafka") not in (0, killed), "the broker is restarted")
            before = len(senders.accepted)
            wait_until(lambda: len(senders.accepted) > before + 100, "events flow again")
        _assert_each_is_there_once(senders.accepted, read())
    assert senders.slowest_seconds < 5


def test_a_service_that_starts_without_a_broker_waits_for_it(api: ApiStack, tmp_path: Path) -> None:
    api.stop("kafka")
    try:
        with OwnApi(api, tmp_path / "api.log") as own:
            assert own.client.post("/events", json=[event()]).status_code == 503
            api.start("kafka")
            wait_until(
                lambda: own.client.post("/events", json=[event()]).status_code == 202,
                "events are accepted",
            )
    finally:
        api.start("kafka")
        wait_until(api.is_ready, "the service is ready again")


def test_a_silent_broker_is_given_up_in_time(api: ApiStack) -> None:
    pid = api.pid("kafka")
    os.kill(pid, signal.SIGSTOP)
    try:
        answers: list[httpx.Response] = []
        waiting = [threading.Thread(target=lambda: answers.append(api.post(event()))) for _ in range(4)]
        for thread in waiting:
            thread.start()
        for thread in waiting:
            thread.join()
    finally:
        os.kill(pid, signal.SIGCONT)
    assert [answer.status_code for answer in answers] == [503] * 4
    assert max(answer.elapsed.total_seconds() for answer in answers) < 5
    wait_until(api.is_ready, "the service is ready again")


def test_a_service_that_is_asked_to_stop_delivers_what_it_accepted(api: ApiStack, tmp_path: Path) -> None:
    with api.records() as read:
        own = OwnApi(api, tmp_path / "api.log", linger_ms="50")
        with Senders(own.url, threads=16) as senders:
            wait_until(lambda: len(senders.accepted) > 100, "events flow")
            assert own.close() == 0
        _assert_each_is_there_once(senders.accepted, read())
    assert senders.refusals == []
    assert "Finished server process" in (tmp_path / "api.log").read_text()


def test_what_a_killed_service_accepted_is_there(api: ApiStack, tmp_path: Path) -> None:
    with api.records() as read:
        own = OwnApi(api, tmp_path / "api.log")
        with Senders(own.url) as senders:
            wait_until(lambda: len(senders.accepted) > 100, "events flow")
            own.process.kill()
            own.process.wait()
        own.client.close()
        _assert_each_is_there_once(senders.accepted, read())
