"""Who may send: keys, sites, rates."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from starlette.datastructures import Headers

from api.admission import KeyRing, Origins, RateLimiter, is_local, rate_limiter
from api.refusals import Refusal, RefusalCode
from clickstream.settings import ApiSettings
from clickstream.write_keys import create_key, read_keys, revoke_key

NOW = datetime(2025, 1, 1, tzinfo=UTC)


class Clock:
    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.parametrize(
    ("host", "local"),
    [
        ("127.0.0.1", True),
        ("localhost", True),
        ("::1", True),
        ("0.0.0.0", False),
        ("192.0.2.1", False),
        ("api", False),
    ],
)
def test_only_loopback_is_this_machine_alone(host: str, local: bool) -> None:
    assert is_local(host) is local


def test_rates_are_limited_by_default_where_others_can_reach_the_service() -> None:
    assert rate_limiter(ApiSettings(), local=True) is None
    assert rate_limiter(ApiSettings(), local=False) is not None
    assert rate_limiter(ApiSettings(rate_limit_per_second=0), local=False) is None
    assert rate_limiter(ApiSettings(rate_limit_per_second=1), local=True) is not None


def _refused(limiter: RateLimiter, key: str = "", address: str = "192.0.2.1") -> Refusal | None:
    try:
        limiter.count(key, address)
    except Refusal as refusal:
        return refusal
    return None


def test_after_a_burst_requests_come_at_the_rate() -> None:
    clock = Clock()
    limiter = RateLimiter(10, 5, clock)
    assert [_refused(limiter) for _ in range(5)] == [None] * 5
    refusal = _refused(limiter)
    assert refusal is not None
    assert (refusal.body.code, refusal.body.limit) == (RefusalCode.RATE_LIMITED, 10)
    assert refusal.headers == {"Retry-After": "1"}
    clock.now += 0.1
    assert _refused(limiter) is None
    assert _refused(limiter) is not None
    clock.now += 60
    assert [_refused(limiter) is None for _ in range(6)] == [True] * 5 + [False]


def test_a_slow_rate_says_how_long_to_wait() -> None:
    limiter = RateLimiter(0.1, 1, Clock())
    assert _refused(limiter) is None
    refusal = _refused(limiter)
    assert refusal is not None
    assert refusal.headers == {"Retry-After": "10"}


def test_each_key_and_address_has_a_rate_of_its_own() -> None:
    limiter = RateLimiter(1, 1, Clock())
    senders = [("", "192.0.2.1"), ("", "192.0.2.2"), ("k", "192.0.2.1")]
    assert [_refused(limiter, *sender) for sender in senders] == [None] * 3
    assert all(_refused(limiter, *sender) for sender in senders)


@pytest.mark.parametrize(
    ("setting", "origin", "allowed"),
    [
        ("https://shop.example", "https://shop.example", True),
        ("https://shop.example/", "https://shop.example", True),
        ("https://shop.example", "http://shop.example", False),
        ("https://shop.example", "https://shop.example.evil.test", False),
        ("https://shop.example", "https://shopXexample", False),
        ("http://localhost:*", "http://localhost:5173", True),
        ("http://localhost:*", "http://localhost", True),
        ("http://localhost:*", "http://localhost:80.evil.test", False),
        ("https://a.test, https://b.test", "https://b.test", True),
        ("*", "https://anything.test", True),
        ("", "https://anything.test", False),
        ("*", "null", True),
        ("http://localhost:*", "null", False),
    ],
)
def test_only_listed_sites_may_send(setting: str, origin: str, allowed: bool) -> None:
    if allowed:
        Origins(setting).check(origin, "api.test")
    else:
        with pytest.raises(Refusal) as caught:
            Origins(setting).check(origin, "api.test")
        assert caught.value.body.code is RefusalCode.ORIGIN_NOT_ALLOWED


def test_the_services_own_pages_may_always_send() -> None:
    headers = Headers({"origin": "https://api.test:8000", "host": "api.test:8000"})
    Origins("").check(headers["origin"], headers["host"])


def test_a_key_is_taken_until_it_is_revoked(tmp_path: Path) -> None:
    clock, path = Clock(), tmp_path / "api" / "keys.json"
    ring = KeyRing(path, clock)
    assert ring.find("wk_anything") is None
    key, secret = create_key(path, "shop", NOW)
    other, _ = create_key(path, "other", NOW)
    clock.now += 1
    assert ring.find(secret) == key
    assert ring.find(secret + "x") is None
    revoke_key(path, key.id, NOW)
    assert ring.find(secret) == key, "the file is looked at once a second"
    clock.now += 1
    assert ring.find(secret) is None
    assert [one.id for one in read_keys(path)] == [key.id, other.id]


def test_the_key_itself_is_not_kept(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    _, secret = create_key(path, "shop", NOW)
    assert secret not in path.read_text()
    assert secret.removeprefix("wk_") not in path.read_text()
    assert path.stat().st_mode & 0o077 == 0
