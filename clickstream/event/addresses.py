"""IP addresses in the spellings of proxies, logs and operating systems."""

import ipaddress
import re
from functools import lru_cache
from typing import Final

_PLAIN_IPV4: Final = re.compile(
    r"(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])(?:\.(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])){3}",
    re.ASCII,
)
"""What nearly all addresses are; it is their usual spelling."""

_WITH_PORT: Final = re.compile(r"\A(?:\[([^]]*)\]|([^:\[\]]*))(?::[0-9]{1,5})?\Z")
"""An address in brackets, or one without colons, each perhaps with a port."""


@lru_cache(maxsize=65_536)
def read_address(text: str) -> str | None:
    """An address in its usual spelling; None if the text is not an address.

    A port, a zone and brackets are left out, of a comma-separated list (`X-Forwarded-For`) the first one
    counts, and IPv4 mapped into IPv6 is IPv4.
    """
    if _PLAIN_IPV4.fullmatch(text):
        return text
    first = text.partition(",")[0].strip(" ")
    match = _WITH_PORT.match(first)
    if match:
        first = match[1] if match[1] is not None else match[2]
    plain, zone_mark, zone = first.partition("%")
    if zone_mark and (not zone or ":" not in plain):
        return None
    try:
        address = ipaddress.ip_address(plain)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return str(mapped or address)
