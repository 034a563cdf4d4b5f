"""Who asks: proven by a password."""

import base64
import binascii
import hmac
from collections.abc import Mapping
from typing import Final

from stack.gateway.accounts import Account
from stack.gateway.configuration import Configuration, password_digest
from stack.gateway.errors import Code, StatementError


class Accounts:
    """The accounts of the gateway.

    Args:
        configuration: The users, with digests of their passwords.
    """

    def __init__(self, configuration: Configuration) -> None:
        self._salt: Final = configuration.salt
        self._users: Final = configuration.users

    def authenticate(self, headers: Mapping[str, str], params: Mapping[str, str]) -> Account:
        """The account that a request's credentials belong to.

        ClickHouse takes them from its own headers, from basic auth or from the query string, in this order.

        Raises:
            StatementError: They are missing or wrong (code 516, HTTP 403); which of both is not said.
        """
        user, password = _credentials(headers, params)
        digest = password_digest(self._salt, password)
        match: Account | None = None
        for known in self._users:
            # Both comparisons always run, so that the time taken tells nothing.
            known_name = hmac.compare_digest(user.encode(), known.name.encode())
            known_secret = hmac.compare_digest(digest, known.digest)
            if known_name and known_secret:
                match = known.account
        if match is None:
            raise StatementError(
                Code.AUTHENTICATION_FAILED,
                f"{user}: Authentication failed: password is incorrect, or there is no user with such name.",
            )
        return match


def _credentials(headers: Mapping[str, str], params: Mapping[str, str]) -> tuple[str, str]:
    """User and password as sent; `default` and nothing where a request names none."""
    if "x-clickhouse-user" in headers or "x-clickhouse-key" in headers:
        return headers.get("x-clickhouse-user", "default"), headers.get("x-clickhouse-key", "")
    scheme, _, encoded = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "basic":
        try:
            user, _, password = base64.b64decode(encoded, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            raise StatementError(Code.AUTHENTICATION_FAILED, "Invalid HTTP basic authentication.") from None
        return user, password
    if scheme:
        raise StatementError(
            Code.AUTHENTICATION_FAILED, f"HTTP authentication scheme {scheme} is not supported; use Basic."
        )
    return params.get("user", "default"), params.get("password", "")
