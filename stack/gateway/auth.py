"""Who asks: one of three accounts, proven by a password."""

import base64
import binascii
import hmac
from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from clickstream.settings import ClickHouseSettings
from stack.gateway.errors import Code, StatementError


class Account(StrEnum):
    """What a client may do."""

    READER = "reader"
    DASHBOARDS = "dashboards"
    WRITER = "writer"

    @property
    def only_reads(self) -> bool:
        """Whether it may change nothing."""
        return self is not Account.WRITER


class Accounts:
    """The accounts of the gateway and their passwords."""

    def __init__(self, settings: ClickHouseSettings) -> None:
        self._accounts: Final = (
            (settings.writer_user, settings.writer_password.get_secret_value(), Account.WRITER),
            (settings.reader_user, settings.reader_password.get_secret_value(), Account.READER),
            (settings.dashboards_user, settings.dashboards_password.get_secret_value(), Account.DASHBOARDS),
        )

    def authenticate(self, headers: Mapping[str, str], params: Mapping[str, str]) -> Account:
        """The account that a request's credentials belong to.

        ClickHouse takes them from its own headers, from basic auth or from the query string, in this order.

        Raises:
            StatementError: They are missing or wrong (code 516, HTTP 403); which of both is not said.
        """
        user, password = _credentials(headers, params)
        match: Account | None = None
        for name, secret, account in self._accounts:
            # Both comparisons always run, so that the time taken tells nothing.
            known_name = hmac.compare_digest(user.encode(), name.encode())
            known_secret = hmac.compare_digest(password.encode(), secret.encode())
            if known_name and known_secret and secret:
                match = account
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
