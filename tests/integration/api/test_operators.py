"""Operators may follow an event; senders may not."""

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from clickstream.storage.client import Role, connect
from tests.integration.api.service import ApiStack, OwnApi, Senders, event
from tests.integration.trace import story
from tests.integration.trace.story import TOPIC
from tests.waiting import wait_until

LONGEST_LOOK_UP_SECONDS = 12


@pytest.fixture(scope="module", autouse=True)
def what_happened(api: ApiStack) -> None:
    """What the tests ask about."""
    story.happen(connect(api.settings.clickhouse, Role.WRITER))


def follow(api: ApiStack, event_id: object) -> httpx.Response:
    return api.client.get(f"/events/{event_id}", headers=api.as_operator)


def test_a_stored_event_is_told_with_its_numbers_as_texts(api: ApiStack) -> None:
    answer = follow(api, story.VIEW)

    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
    told = answer.json()
    assert (told["id"], told["state"]) == (str(story.VIEW), "stored")
    (receipt,) = told["receipts"]
    assert (receipt["source"], receipt["origin"]) == ("broker", TOPIC)
    assert (receipt["offset"], receipt["item"]) == (str(story.VIEW_OFFSET), 0)
    assert (receipt["fate"], receipt["event_id"], receipt["type"]) == ("stored", str(story.VIEW), "view")
    assert receipt["received_at"] == "2026-03-01T12:00:00Z"
    assert receipt["created_at"] == "2026-02-28T23:59:59.500000Z"
    assert receipt["body"] == story.event(story.VIEW)
    (day,) = told["days"]
    assert day["date"] == "2026-02-28"
    assert day["rebuilt_at"]


def test_a_quarantined_event_tells_why(api: ApiStack) -> None:
    told = follow(api, story.INVALID).json()

    assert (told["state"], told["days"]) == ("quarantined", [])
    (receipt,) = told["receipts"]
    assert receipt["event_id"] is None
    assert {(error["code"], error["field"]) for error in receipt["errors"]} == {
        ("unknown_event_type", "type"),
        ("missing_field", "url"),
    }


@pytest.mark.parametrize(
    ("event_id", "fates"),
    [
        pytest.param(story.TWICE, ["stored", "duplicate"], id="sent twice"),
        pytest.param(story.FIXED, ["quarantined", "stored"], id="replayed"),
        pytest.param(story.WAITING, ["pending"], id="not processed yet"),
    ],
)
def test_every_receipt_is_told(api: ApiStack, event_id: int, fates: list[str]) -> None:
    assert sorted(receipt["fate"] for receipt in follow(api, event_id).json()["receipts"]) == sorted(fates)


def test_an_event_that_nobody_knows_is_not_found(api: ApiStack) -> None:
    answer = follow(api, 42)

    assert (answer.status_code, answer.json()["code"]) == (404, "event_unknown")
    assert "Nothing is known of event 42" in answer.json()["message"]


@pytest.mark.parametrize(
    "text", ["x", "-1", "1.5", "18446744073709551616", "%D9%A3", "%00", "9" * 5_000, "%20"]
)
def test_what_is_no_id_is_refused_with_the_rule(api: ApiStack, text: str) -> None:
    answer = follow(api, text)

    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_parameter")
    assert "whole numbers from 0 to 18446744073709551615" in answer.json()["message"]
    assert len(answer.json()["message"]) < 300


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        pytest.param({}, "operator_token_missing", id="nothing"),
        pytest.param({"Authorization": "Bearer"}, "operator_token_missing", id="an empty token"),
        pytest.param({"Authorization": "Basic b3A6b3A="}, "operator_token_missing", id="another scheme"),
        pytest.param({"Authorization": "Bearer guess"}, "operator_token_wrong", id="a guess"),
        pytest.param({"Authorization": "Bearer ключ".encode()}, "operator_token_wrong", id="no ASCII"),
    ],
)
def test_who_is_no_operator_is_told_nothing(api: ApiStack, headers: dict[str, Any], code: str) -> None:
    for event_id in (story.VIEW, 42, "x"):
        answer = api.client.get(f"/events/{event_id}", headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (401, code)
        assert answer.headers["www-authenticate"] == "Bearer"


def test_the_token_does_not_go_into_an_address(api: ApiStack) -> None:
    token = api.settings.api.operator_token.get_secret_value()
    assert len(token) > 20
    for name in ("key", "token", "access_token"):
        assert api.client.get(f"/events/{story.VIEW}", params={name: token}).status_code == 401


def test_a_write_key_opens_no_events_and_the_token_sends_none(api: ApiStack, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "clickstream.cli.app", "key", "create", "page"]
    key = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()[0]
    with OwnApi(api, tmp_path / "api.log", write_keys="on") as own:
        as_sender = {"Authorization": f"Bearer {key}"}
        assert own.client.post("/events", json=[event()], headers=as_sender).status_code == 202
        refused = own.client.get(f"/events/{story.VIEW}", headers=as_sender)
        assert (refused.status_code, refused.json()["code"]) == (401, "operator_token_wrong")
        assert own.client.get(f"/events/{story.VIEW}", params={"key": key}).status_code == 401
        assert own.client.post("/events", json=[event()], headers=api.as_operator).status_code == 401


def test_a_service_without_a_token_lets_nobody_in(api: ApiStack, tmp_path: Path) -> None:
    with OwnApi(api, tmp_path / "api.log", operator_token="") as own:
        for headers in (api.as_operator, {"Authorization": "Bearer"}, {}):
            assert own.client.get(f"/events/{story.VIEW}", headers=headers).status_code == 401


def test_guessing_counts_for_the_rate(api: ApiStack, tmp_path: Path) -> None:
    limits = {"rate_limit_per_second": "0.01", "rate_limit_burst": "3"}
    with OwnApi(api, tmp_path / "api.log", **limits) as own:
        guess = {"Authorization": "Bearer guess"}
        statuses = [own.client.get("/events/1", headers=guess).status_code for _ in range(4)]
    assert statuses == [401, 401, 401, 429]


def test_without_clickhouse_it_says_when_to_ask_again_and_events_are_taken(api: ApiStack) -> None:
    api.stop("clickhouse")
    try:
        answer = follow(api, story.VIEW)
        assert (answer.status_code, answer.json()["code"]) == (503, "clickhouse_unavailable")
        assert 1 <= int(answer.headers["retry-after"]) <= 60
        assert api.post([event()]).status_code == 202
        assert api.is_ready()
    finally:
        api.start("clickhouse")
    wait_until(lambda: follow(api, story.VIEW).status_code == 200, "ClickHouse is back")


def test_a_clickhouse_that_hangs_holds_up_no_sender(api: ApiStack) -> None:
    pid = api.pid("clickhouse")
    os.kill(pid, signal.SIGSTOP)
    try:
        with Senders(api.url) as senders, ThreadPoolExecutor(6) as pool:
            started = time.monotonic()
            answers = list(pool.map(lambda _: follow(api, story.VIEW), range(6)))
            seconds = time.monotonic() - started
            wait_until(lambda: len(senders.accepted) > 100, "events flow")
    finally:
        os.kill(pid, signal.SIGCONT)
    assert [answer.status_code for answer in answers] == [503] * 6
    assert seconds < LONGEST_LOOK_UP_SECONDS
    assert (senders.refusals, senders.slowest_seconds < LONGEST_LOOK_UP_SECONDS / 2) == ([], True)
    wait_until(lambda: follow(api, story.VIEW).status_code == 200, "it answers again")
    assert str(story.VIEW) not in api.log
