"""Connections with their settings: one of its own for a lone statement, a kept one for a session."""

import threading
import time
from collections.abc import Mapping
from typing import Final

from stack.gateway.accounts import Account
from stack.gateway.calls import SessionRequest
from stack.gateway.engine import Connection, Engine
from stack.gateway.errors import Code, StatementError

# Of one account: none can drive out the sessions of another.
_MAX_SESSIONS: Final = 64
_DEFAULT_DATABASE: Final = "default"


class Session:
    """A connection that outlives a statement: with its temporary tables, its settings and its database.

    What a request sets holds for that request alone, what `SET` and `USE` say holds for the session. Setting
    back after each statement would cost a round trip more, so it is done before the next one, and only where
    the two differ.
    """

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.busy = False
        self.expires_at = 0.0
        self._own: dict[str, str] = {}
        self._applied: dict[str, str] = {}
        self._database = _DEFAULT_DATABASE
        self._applied_database = _DEFAULT_DATABASE

    def prepare(self, settings: Mapping[str, str], database: str, *, keeps_settings: bool) -> None:
        """Make the connection ready for a statement.

        Args:
            settings: Settings for this statement alone.
            database: Database for this statement alone; empty for the session's.
            keeps_settings: The statement is a `SET`: what it sets is the session's.
        """
        wanted = {} if keeps_settings else dict(settings)
        changes = {name: self._own[name] for name in self._applied if name not in wanted}
        new = [name for name in wanted if name not in self._own]
        self._own |= self._current(new)
        changes |= {name: value for name, value in wanted.items() if self._applied.get(name) != value}
        if changes:
            self.connection.change_settings(changes)
        self._applied = wanted
        if keeps_settings:
            self._own = {}
        target = database or self._database
        if target != self._applied_database:
            self.connection.use(target)
            self._applied_database = target

    def follow_database(self) -> None:
        """Take over the database that the client's `USE` has named."""
        name = self.connection.execute("SELECT currentDatabase()", "TSVRaw").data.decode().rstrip("\n")
        self._database = self._applied_database = name

    def _current(self, names: list[str]) -> dict[str, str]:
        return self.connection.settings(names) if names else {}


class Sessions:
    """The sessions of all clients, by account and id."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._sessions: dict[tuple[Account, str], Session] = {}
        self._lock = threading.Lock()

    def acquire(self, account: Account, wanted: SessionRequest) -> Session:
        """Take a session for one statement.

        Raises:
            StatementError: It runs another one (code 373), or should be there and is not (code 372).
        """
        with self._lock:
            return self._acquire(account, wanted)

    def _acquire(self, account: Account, wanted: SessionRequest) -> Session:
        key = (account, wanted.session_id)
        session = self._sessions.get(key)
        if session is None:
            if wanted.must_exist:
                raise StatementError(Code.SESSION_NOT_FOUND, f"Session {wanted.session_id} not found")
            self._refuse_too_many(account)
            session = Session(self._open(account))
            self._sessions[key] = session
        if session.busy:
            raise StatementError(
                Code.SESSION_IS_LOCKED, f"Session {wanted.session_id} is locked by a concurrent client"
            )
        session.busy = True
        return session

    def _open(self, account: Account) -> Connection:
        connection = self._engine.connect()
        connection.restrict(account)
        return connection

    def release(self, session: Session, wanted: SessionRequest) -> None:
        """Give a session back after its statement."""
        session.expires_at = time.monotonic() + wanted.timeout_seconds
        session.busy = False

    def close_expired(self) -> None:
        """Close the sessions that were not used for as long as they asked to be kept."""
        now = time.monotonic()
        with self._lock:
            for key, session in list(self._sessions.items()):
                if not session.busy and session.expires_at < now:
                    self._close(key)

    def close_all(self) -> None:
        """Close all sessions."""
        for key in list(self._sessions):
            self._close(key)

    def _refuse_too_many(self, account: Account) -> None:
        now = time.monotonic()
        for key, session in list(self._sessions.items()):
            if not session.busy and session.expires_at < now:
                self._close(key)
        if sum(owner is account for owner, _ in self._sessions) >= _MAX_SESSIONS:
            raise StatementError(
                Code.USER_SESSION_LIMIT_EXCEEDED,
                f"User has reached their maximum number of simultaneous sessions ({_MAX_SESSIONS}): "
                "use one for several statements, or give them a shorter session_timeout",
            )

    def _close(self, key: tuple[Account, str]) -> None:
        self._sessions.pop(key).connection.close()
