"""Lets requests through to an ASGI application under the host names that it knows (`serving.host_names`)."""

from collections.abc import Callable

from starlette.types import ASGIApp, Receive, Scope, Send

from serving.host_names import unknown_host_message


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
                app = self._refuse(unknown_host_message(host, self._setting_name))
        await app(scope, receive, send)
