"""Host names: who may be spoken to, and what the others are told."""

import pytest

from serving.host_names import allowed_host_check

SETTING = "shop.example, *.stats.example,API"


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "localhost:8000",
        "LOCALHOST",
        "localhost.",
        "app.localhost:8000",
        "127.0.0.1",
        "127.0.0.1:8000",
        "192.168.1.7",
        "[::1]",
        "[::1]:8000",
        "shop.example",
        "Shop.Example:443",
        "a.stats.example",
        "a.b.stats.example",
        "api:8000",
    ],
)
def test_answers_to_its_own_names_and_to_addresses(host: str) -> None:
    assert allowed_host_check(SETTING)(host)


@pytest.mark.parametrize(
    "host",
    [
        "",
        " ",
        "evil.example",
        "evil.example:8000",
        "localhost.evil.example",
        "evillocalhost",
        "127.0.0.1.evil.example",
        "127.0.0.1:8000@evil.example",
        "evil.example#localhost",
        "evil.example/localhost",
        "user@localhost",
        "shop.example.evil.example",
        "notshop.example",
        "stats.example",
        "a.stats.example.evil.example",
        "localhost:port",
        "localhost:8000:8000",
        "localhost, evil.example",
        "[evil.example]",
        "0x7f.1.evil.example",
        "2130706433",
    ],
)
def test_does_not_answer_to_other_names(host: str) -> None:
    assert not allowed_host_check(SETTING)(host)


def test_a_star_allows_any_name() -> None:
    assert allowed_host_check("*")("anything.example:1")


def test_nothing_but_local_names_and_addresses_is_allowed_without_a_setting() -> None:
    is_allowed = allowed_host_check("")
    assert (is_allowed("localhost:1"), is_allowed("shop.example")) == (True, False)
