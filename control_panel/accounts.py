"""Who may use the panel: two accounts, and the signed sessions that a browser carries in a cookie."""

import hashlib
import hmac
import secrets
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum, unique
from typing import Final

from itsdangerous import BadSignature, URLSafeTimedSerializer

from clickstream.settings import PanelSettings

_SALT: Final = "clickstream-panel-session"
_COOKIE: Final = "clickstream_panel_"
_MAX_REVOKED: Final = 10_000


@unique
class Role(StrEnum):
    """What an account may do."""

    VIEWER = "viewer"
    OPERATOR = "operator"


@dataclass(frozen=True, slots=True)
class Account:
    """A signed-in account.

    Attributes:
        name: Its name, as in the settings.
        role: What it may do.
        session_id: Identifies the sign-in; empty where none is needed.
    """

    name: str
    role: Role
    session_id: str = ""

    @property
    def is_operator(self) -> bool:
        """Whether it may change things."""
        return self.role is Role.OPERATOR


class Accounts:
    """Checks passwords and sessions against the settings."""

    def __init__(self, settings: PanelSettings) -> None:
        self._settings = settings
        self._known = (
            (settings.operator_name, settings.operator_password.get_secret_value(), Role.OPERATOR),
            (settings.viewer_name, settings.viewer_password.get_secret_value(), Role.VIEWER),
        )
        # A changed password ends the sessions that were opened with the old one.
        key = "\0".join([settings.cookie_secret.get_secret_value(), *(account[1] for account in self._known)])
        self._serializer = URLSafeTimedSerializer(hashlib.sha256(key.encode()).hexdigest(), salt=_SALT)
        self._lock = threading.Lock()
        self._revoked: dict[str, float] = {}

    @property
    def cookie_name(self) -> str:
        """Cookies are shared by the ports of a host, so two panels need two names."""
        return f"{_COOKIE}{self._settings.port}"

    @property
    def session_seconds(self) -> int:
        """How long a sign-in lasts."""
        return int(self._settings.session_hours * 3600)

    def sign_in(self, name: str, password: str) -> Account | None:
        """The account of this name and password; None if there is no such account.

        Every account is compared in constant time, so that the answer's delay tells nothing.
        """
        found = None
        for known_name, known_password, role in self._known:
            is_name = hmac.compare_digest(known_name.encode(), name.encode())
            is_password = hmac.compare_digest(known_password.encode(), password.encode())
            # An account whose password is not set opens nothing, not even to an empty one.
            if known_password and is_name and is_password:
                found = Account(known_name, role, secrets.token_urlsafe(12))
        return found

    def cookie_of(self, account: Account) -> str:
        """The signed value of the session cookie."""
        return self._serializer.dumps([account.name, account.role.value, account.session_id])

    def cookies_of(self, cookies: Mapping[str, str]) -> dict[str, Account]:
        """The authentic session cookies of a browser by name, that of this port first.

        A panel whose port was changed knows those of its former port: they are signed with its own secrets.
        """
        names = sorted((name for name in cookies if name.startswith(_COOKIE)), key=self._is_of_other_port)
        found = ((name, self.account_of(cookies[name])) for name in names)
        return {name: account for name, account in found if account is not None}

    def _is_of_other_port(self, name: str) -> bool:
        return name != self.cookie_name

    def account_in(self, cookies: Mapping[str, str]) -> Account | None:
        """The account that a browser has signed in with; None if it has not signed in."""
        if not self._settings.sign_in:
            return self.account_of(None)
        return next(iter(self.cookies_of(cookies).values()), None)

    def account_of(self, cookie: str | None) -> Account | None:
        """The account of a session cookie; None unless it is authentic, recent and not signed out."""
        if not self._settings.sign_in:
            return Account(self._settings.operator_name, Role.OPERATOR)
        if not cookie:
            return None
        try:
            name, role, session_id = self._serializer.loads(cookie, max_age=self.session_seconds)
            account = Account(name, Role(role), session_id)
        except (BadSignature, ValueError, TypeError):
            return None
        with self._lock:
            return None if session_id in self._revoked else account

    def sign_out(self, account: Account) -> None:
        """End a session, also for copies of its cookie. A restart of the panel forgets this."""
        now = time.time()
        with self._lock:
            self._revoked[account.session_id] = now
            ended = [session for session, at in self._revoked.items() if at < now - self.session_seconds]
            for session in [*ended, *list(self._revoked)[: max(0, len(self._revoked) - _MAX_REVOKED)]]:
                self._revoked.pop(session, None)
