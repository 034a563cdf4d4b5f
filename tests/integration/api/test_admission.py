"""Keys and rates of a running service."""

import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from tests.integration.api.service import ApiStack, OwnApi, event
from tests.waiting import wait_until


@pytest.fixture(scope="module")
def guarded(api: ApiStack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnApi]:
    log = tmp_path_factory.mktemp("guarded") / "api.log"
    with OwnApi(api, log, write_keys="on", rate_limit_per_second="1", rate_limit_burst="3") as running:
        yield running


def _clickstream(*arguments: str) -> Sequence[str]:
    command = [sys.executable, "-m", "clickstream.cli.app", *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()


def test_keys_are_made_used_and_revoked(guarded: OwnApi) -> None:
    address = {"X-Forwarded-For": "203.0.113.1"}
    missing = guarded.client.post("/events", json=[event()], headers=address)
    assert (missing.status_code, missing.json()["code"]) == (401, "write_key_missing")
    assert missing.headers["www-authenticate"] == "Bearer"
    unknown = guarded.client.post("/events?key=wk_guess", json=[event()], headers=address)
    assert (unknown.status_code, unknown.json()["code"]) == (401, "write_key_unknown")

    [key] = _clickstream("key", "create", "shop")
    wait_until(lambda: _status(guarded, key, "203.0.113.2") == 202, "the new key is taken")
    assert guarded.client.post(f"/events?key={key}", json=[event()]).status_code == 202
    listed = _clickstream("key", "list")
    assert "shop" in listed
    assert key not in listed
    key_id = listed[listed.index("shop") - 2]
    _clickstream("key", "revoke", key_id)
    wait_until(lambda: _status(guarded, key, "203.0.113.3") == 401, "the revoked key is refused")


def _status(guarded: OwnApi, key: str, address: str) -> int:
    headers = {"Authorization": f"Bearer {key}", "X-Forwarded-For": address}
    status = guarded.client.post("/events", json=[event()], headers=headers).status_code
    return status if status != 429 else 0


def test_who_sends_too_often_is_told_when_to_come_again(guarded: OwnApi) -> None:
    address = {"X-Forwarded-For": "203.0.113.4"}
    answers = [guarded.client.post("/events", json=[event()], headers=address) for _ in range(6)]
    assert [answer.status_code for answer in answers[:3]] == [401] * 3, "guessing keys counts too"
    assert answers[-1].status_code == 429
    assert answers[-1].json()["code"] == "rate_limited"
    assert answers[-1].json()["limit"] == 1
    assert int(answers[-1].headers["retry-after"]) == 1
    other = guarded.client.post("/events", json=[event()], headers={"X-Forwarded-For": "203.0.113.5"})
    assert other.status_code == 401


def test_a_wrong_setting_is_told_before_anything_starts(tmp_path: Path, api: ApiStack) -> None:
    log = tmp_path / "api.log"
    with pytest.raises(AssertionError, match="the API ended"):
        OwnApi(api, log, trusted_proxies="nonsense")
    assert "The API can't be started" in log.read_text()
    assert "nonsense" in log.read_text()
