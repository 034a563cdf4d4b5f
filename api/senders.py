"""Who sends: the client's address, through trusted proxies only, and what of it is kept."""

import ipaddress
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Final

import msgspec
from starlette.datastructures import Headers

from clickstream.contract import FIELD_BY_NAME
from clickstream.event.addresses import read_address

IpNetwork = ipaddress.IPv4Network | ipaddress.IPv6Network

_KEPT_BITS: Final = {4: 24, 6: 48}
MAX_USER_AGENT: Final = FIELD_BY_NAME["user_agent"].max_length
"""A longer header is cut: it must not make an event invalid."""

_MAX_PROXIES: Final = 20


class EventSource(StrEnum):
    """How events come in over HTTP; the header `source` of their record."""

    HTTP = "http"
    TRACKER = "tracker"


@dataclass(frozen=True, slots=True)
class Sender:
    """What a request tells about events that don't tell it themselves.

    Attributes:
        source: How they came in.
        address_member: The client's address as one more member of a JSON object, `,"ip":"…"`; empty if it is
            unknown.
        user_agent_member: Likewise the browser's or program's name of itself.
        truncate: Cuts the addresses that events have themselves; None to leave them.
    """

    source: EventSource
    address_member: str
    user_agent_member: str
    truncate: Callable[[str], str] | None


class Senders:
    """Knows which proxies are trusted and whether addresses are cut short."""

    def __init__(self, trusted_proxies: str, *, truncate_ip: bool) -> None:
        """Reads the setting.

        Raises:
            ValueError: A part of it is neither an address nor a network.
        """
        self._proxies: Sequence[IpNetwork] = [
            ipaddress.ip_network(part, strict=False) for part in trusted_proxies.replace(",", " ").split()
        ]
        self._truncate = truncate_address if truncate_ip else None

    def address(self, peer: str, headers: Headers) -> str:
        """The client's address: the last one in `X-Forwarded-For` that does not belong to a trusted proxy.

        Who connects directly can't choose an address: without a trusted proxy the header is not read.
        """
        address = read_address(peer) or ""
        if not self._proxies or not self._is_trusted(address):
            return address
        hops = ",".join(headers.getlist("x-forwarded-for")).split(",")
        for hop in reversed(hops[-_MAX_PROXIES:]):
            forwarded = read_address(hop)
            if forwarded is None:
                break
            address = forwarded
            if not self._is_trusted(address):
                break
        return address

    def sender(self, source: EventSource, address: str, user_agent: str) -> Sender:
        """The sender of a request."""
        kept = self._truncate(address) if self._truncate else address
        return Sender(
            source, _member("ip", kept), _member("user_agent", user_agent[:MAX_USER_AGENT]), self._truncate
        )

    def _is_trusted(self, address: str) -> bool:
        return bool(address) and any(ipaddress.ip_address(address) in network for network in self._proxies)


@lru_cache(maxsize=65_536)
def _member(name: str, value: str) -> str:
    """One more member of a JSON object; nothing for an empty value."""
    return f',"{name}":{msgspec.json.encode(value).decode()}' if value else ""


@lru_cache(maxsize=65_536)
def truncate_address(text: str) -> str:
    """The network of an address, 24 bits of IPv4 or 48 of IPv6, the rest zero; empty if it is not one."""
    address = read_address(text)
    if address is None:
        return ""
    bits = _KEPT_BITS[ipaddress.ip_address(address).version]
    return str(ipaddress.ip_network(f"{address}/{bits}", strict=False).network_address)
