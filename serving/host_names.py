"""Which host names a service answers to.

A web page can point a name of its own to 127.0.0.1 and then talk to services of the visitor's machine as if
they were its own (DNS rebinding). Such a request carries the page's name in `Host`, so a service answers only
to names that it knows. An IP address is not a name that anybody can point elsewhere.
"""

import ipaddress
import re
from collections.abc import Callable
from functools import lru_cache
from typing import Final

ANY: Final = "*"

_HOST: Final = re.compile(r"(\[[0-9a-f:.%]+\]|[^\s:/@\[\]]+)(?::\d{1,5})?", re.IGNORECASE)
_REMEMBERED: Final = 1_024
_SHOWN_CHARACTERS: Final = 200


def allowed_host_check(setting: str) -> Callable[[str], bool]:
    """A check of the values of `Host` headers.

    Args:
        setting: Names with commas between, without ports: `shop.example`, `*.shop.example` for all names
            below it, `*` for any. `localhost` and IP addresses are always allowed.
    """
    names = [name.lower() for name in setting.replace(",", " ").split()]
    exact = {"localhost", *names}
    suffixes = (".localhost", *(name[1:] for name in names if name.startswith("*.")))

    @lru_cache(_REMEMBERED)
    def is_allowed(host: str) -> bool:
        match = _HOST.fullmatch(host)
        if match is None:
            return False
        name = match[1].lower().rstrip(".")
        return name in exact or name.endswith(suffixes) or _is_address(name.strip("[]"))

    return (lambda _: True) if ANY in names else is_allowed


def unknown_host_message(host: str, setting_name: str) -> str:
    """Tells a client that the service does not answer under a name, and where names are allowed.

    Args:
        host: The value of the `Host` header.
        setting_name: The setting to which another name is to be added.
    """
    return (
        f"The service does not answer under the host name {host[:_SHOWN_CHARACTERS]!r}. "
        f"If that is one of its names, add it to {setting_name}."
    )


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
