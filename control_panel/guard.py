"""What every request passes first, Streamlit's own paths included: host, origin, sign-in, headers."""

import base64
import hashlib
import json
from collections.abc import Callable
from typing import Final
from urllib.parse import quote, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import cookie_parser
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from control_panel import shell
from control_panel.accounts import Account, Accounts
from control_panel.observed import METRICS_PATH
from serving.origins import netloc

ACCOUNT: Final = "panel_account"
"""Where the guard leaves the account in the scope of a request."""

SIGN_IN_PATH: Final = "/sign-in"
HEALTH_PATH: Final = "/health"

_OPEN_PATHS: Final = frozenset({SIGN_IN_PATH, HEALTH_PATH, METRICS_PATH, "/_stcore/health"})
# Streamlit's metrics are open by default, its agent interface and its uploads to memory are not used here.
_CLOSED_PATHS: Final = (
    "/_stcore/metrics",
    "/_stcore/agent",
    "/_stcore/upload_file",
    "/_stcore/script-health-check",
)
_SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_POLICY_VIOLATION: Final = 1008


def _inline_script_hashes() -> str:
    """The hashes of the inline scripts in the page, so that no other inline script runs."""
    digests = (
        base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
        for script in shell.inline_scripts()
    )
    return " ".join(f"'sha256-{digest}'" for digest in digests)


SECURITY_HEADERS: Final = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    # A page that opens the panel in a window gets no handle on it, and none embeds its files. Other ports of
    # this machine count as the same site, so the cookie alone would not keep their pages out.
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
    "content-security-policy": (
        f"default-src 'self'; script-src 'self' {_inline_script_hashes()}; "
        "style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self' data:; "
        "connect-src 'self'; worker-src 'self' blob:; object-src 'none'; base-uri 'self'; "
        "form-action 'self'; frame-ancestors 'none'"
    ),
}


class Guard:
    """Lets a request through, or answers it.

    The host must be one that the settings allow, the origin of a change and of a WebSocket the panel itself.
    Everything but sign-in, health and metrics needs a session.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        accounts: Accounts,
        is_allowed_host: Callable[[str], bool],
        is_allowed_for_metrics: Callable[[str], bool],
    ) -> None:
        """Puts the checks in front of an application.

        Args:
            app: The application.
            accounts: Who may sign in.
            is_allowed_host: Whether browsers may open the panel under the name in a `Host` header.
            is_allowed_for_metrics: Whether Prometheus may ask for metrics under such a name.
        """
        self._app = app
        self._accounts = accounts
        self._is_allowed_host = is_allowed_host
        self._is_allowed_for_metrics = is_allowed_for_metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] not in {"http", "websocket"}:
            await self._app(scope, receive, send)
            return

        async def send_secured(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in SECURITY_HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        headers = Headers(scope=scope)
        refusal = self._refusal(scope, headers)
        if refusal is not None:
            await _refuse(scope, send_secured, *refusal)
            return
        account = self._accounts.account_in(cookie_parser(headers.get("cookie", "")))
        scope[ACCOUNT] = account
        if account is None and scope["path"] not in _OPEN_PATHS:
            await _ask_for_sign_in(scope, headers, send_secured)
            return
        await self._app(scope, receive, send_secured)

    def _refusal(self, scope: Scope, headers: Headers) -> tuple[int, str] | None:
        host = headers.get("host", "")
        if not self._is_allowed_host(host) and not (
            scope["path"] == METRICS_PATH and self._is_allowed_for_metrics(host)
        ):
            return 400, (
                f"The panel does not answer under the host name {host[:100]!r}. "
                "CLICKSTREAM_PANEL__ALLOWED_HOSTS lists the allowed names."
            )
        if scope["path"].startswith(_CLOSED_PATHS):
            return 404, "There is nothing here."
        changes = scope["type"] == "websocket" or scope["method"] not in _SAFE_METHODS
        origin = headers.get("origin", "")
        if changes and netloc(origin) != host.lower():
            return 403, (
                f"A change must come from the panel's own pages: the Origin header must name {host}, "
                f"not {origin[:100] or 'be absent'}."
            )
        return None


def account_in(scope: Scope) -> Account:
    """The account that sent a request; the guard has let it through."""
    account = scope[ACCOUNT]
    if not isinstance(account, Account):
        raise TypeError("The route is open, so there is no account.")
    return account


def allowed_host_check(names: str) -> Callable[[str], bool]:
    """A check of `Host` headers against names separated by commas; `*` allows any."""
    allowed = {name.strip().lower().strip("[]") for name in names.split(",") if name.strip()}

    def is_allowed(host: str) -> bool:
        try:
            name = urlsplit(f"//{host}").hostname
        except ValueError:
            return False
        return name is not None and ("*" in allowed or name.rstrip(".") in allowed)

    return is_allowed


async def _ask_for_sign_in(scope: Scope, headers: Headers, send: Send) -> None:
    is_page = scope["type"] == "http" and "text/html" in headers.get("accept", "")
    if not is_page:
        await _refuse(scope, send, 401, f"Sign in at {SIGN_IN_PATH} first.")
        return
    target = scope["path"] + (f"?{scope['query_string'].decode('latin-1')}" if scope["query_string"] else "")
    location = f"{SIGN_IN_PATH}?next={quote(target, safe='')}"
    await _answer(send, 303, b"", [(b"location", location.encode())])


async def _refuse(scope: Scope, send: Send, status: int, message: str) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": _POLICY_VIOLATION, "reason": message[:100]})
        return
    body = json.dumps({"error": message}).encode()
    await _answer(send, status, body, [(b"content-type", b"application/json")])


async def _answer(send: Send, status: int, body: bytes, headers: list[tuple[bytes, bytes]]) -> None:
    lengths = [(b"content-length", str(len(body)).encode()), (b"cache-control", b"no-store")]
    await send({"type": "http.response.start", "status": status, "headers": [*headers, *lengths]})
    await send({"type": "http.response.body", "body": body})
