"""Whose address an event gets."""

import pytest
from starlette.datastructures import Headers

from api.senders import EventSource, Senders, truncate_address
from clickstream.contract import FIELD_BY_NAME
from clickstream.event.addresses import read_address


def _address(trusted: str, peer: str, *forwarded: str) -> str:
    headers = Headers(raw=[(b"x-forwarded-for", value.encode()) for value in forwarded])
    return Senders(trusted, truncate_ip=False).address(peer, headers)


@pytest.mark.parametrize(
    ("trusted", "peer", "forwarded", "address"),
    [
        pytest.param("", "192.0.2.1", ["203.0.113.9"], "192.0.2.1", id="nobody is trusted"),
        pytest.param("10.0.0.0/8", "192.0.2.1", ["203.0.113.9"], "192.0.2.1", id="the peer is not trusted"),
        pytest.param("10.0.0.0/8", "10.1.2.3", ["203.0.113.9"], "203.0.113.9", id="one proxy"),
        pytest.param("10.0.0.0/8", "10.1.2.3", ["6.6.6.6,203.0.113.9"], "203.0.113.9", id="a forged hop"),
        pytest.param("10.0.0.0/8", "10.1.2.3", ["203.0.113.9, 10.9.9.9"], "203.0.113.9", id="two proxies"),
        pytest.param("10.0.0.0/8", "10.1.2.3", ["203.0.113.9", "10.9.9.9"], "203.0.113.9", id="two headers"),
        pytest.param("10.0.0.0/8", "10.1.2.3", ["203.0.113.9, nonsense"], "10.1.2.3", id="not an address"),
        pytest.param("10.0.0.0/8", "10.1.2.3", [], "10.1.2.3", id="no header"),
        pytest.param("10.0.0.1, 10.0.0.2", "10.0.0.2", ["203.0.113.9:4711"], "203.0.113.9", id="with a port"),
        pytest.param("::1", "::1", ["[2001:db8::1]:80"], "2001:db8::1", id="IPv6 with a port"),
        pytest.param("127.0.0.1", "::ffff:127.0.0.1", ["203.0.113.9"], "203.0.113.9", id="IPv4 in IPv6"),
        pytest.param("", "", [], "", id="unknown"),
    ],
)
def test_the_client_is_the_last_hop_that_no_trusted_proxy_is(
    trusted: str, peer: str, forwarded: list[str], address: str
) -> None:
    assert _address(trusted, peer, *forwarded) == address


def test_a_wrong_setting_is_told() -> None:
    with pytest.raises(ValueError, match="nonsense"):
        Senders("nonsense", truncate_ip=False)


@pytest.mark.parametrize(
    ("address", "kept"),
    [
        ("203.0.113.9", "203.0.113.0"),
        ("2001:db8:1:2::3", "2001:db8:1::"),
        ("::ffff:203.0.113.9", "203.0.113.0"),
        ("x", ""),
    ],
)
def test_a_truncated_address_is_a_network(address: str, kept: str) -> None:
    assert truncate_address(address) == kept
    assert truncate_address(kept) == kept


def test_a_long_user_agent_is_cut_to_what_the_contract_takes() -> None:
    limit = FIELD_BY_NAME["user_agent"].max_length
    assert limit is not None
    sender = Senders("", truncate_ip=False).sender(EventSource.HTTP, "", "a" * (limit + 1))
    assert sender.user_agent_member == f',"user_agent":"{"a" * limit}"'
    assert sender.address_member == ""


def test_parses_what_servers_write() -> None:
    assert read_address("fe80::1%eth0") == "fe80::1"
    assert read_address("unix:") is None
