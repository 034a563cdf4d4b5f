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

from starlette.types import ASGIApp, Receive, Scope, Send

ANY: Final = "*"

_HOST: Final = re.compile(r"(\[[0-9a-f:.%]+\]|[^\s:/@\[\]]+)(?::\d{1,5})?", re.IGNORECASE)
_REMEMBERED: Final = 1_024


class KnownHosts:
    """Lets requests through to an application under the names that it knows."""

    def __init__(
        self,
        app: ASGIApp,
        is_allowed: Callable[[str], bool],
        setting_name: str,
        refuse: Callable[[str], ASGIApp],
    ) -> None:
        """Puts the check in front of an application.

        Args:
            app: The application.
            is_allowed: Whether it answers under the name in a `Host` header.
            setting_name: The setting to which another name is to be added, for the message.
            refuse: Makes the answer to other requests from a message.
        """
        self._app = app
        self._is_allowed = is_allowed
        self._setting_name = setting_name
        self._refuse = refuse

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one request."""
        app = self._app
        if scope["type"] == "http":
            hosts = [value for name, value in scope["headers"] if name == b"host"]
            if len(hosts) != 1:
                app = self._refuse(f"The request has {len(hosts)} Host headers; it must have one.")
            elif not self._is_allowed(host := hosts[0].decode("latin-1")):
                app = self._refuse(
                    f"The service does not answer under the host name {host[:200]!r}. "
                    f"If that is one of its names, add it to {self._setting_name}."
                )
        await app(scope, receive, send)


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


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
