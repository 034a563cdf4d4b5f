"""The connection to ClickHouse: the gateway of the stack, or a server."""

from enum import StrEnum, unique
from typing import Final

import clickhouse_connect
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError, DatabaseError, OperationalError

from clickstream.errors import ClickstreamError, ServiceUnavailableError
from clickstream.settings import ClickHouseSettings, required_secret

_CONNECT_TIMEOUT_SECONDS: Final = 5
_ANSWER_TIMEOUT_SECONDS: Final = 300
_READ_RETRIES: Final = 2
_AUTHENTICATION_FAILED: Final = "516"
"""ClickHouse's code of a wrong name or password."""


@unique
class Role(StrEnum):
    """What a connection may do."""

    WRITER = "writer"
    READER = "reader"


def connect(
    settings: ClickHouseSettings, role: Role, *, answer_timeout_seconds: int = _ANSWER_TIMEOUT_SECONDS
) -> Client:
    """Connects as the writing or the reading user; the database need not exist yet.

    Reads that fail on the way are tried again; writes are not, since the caller knows whether it may.
    The connection has no session of its own, so a statement may be sent while the result of another is read.

    Args:
        settings: Where ClickHouse is, and its users.
        role: Which of them.
        answer_timeout_seconds: How long it may say nothing before a statement has failed.

    Raises:
        ServiceUnavailableError: ClickHouse does not answer.
        ClickstreamError: The password is not set, or ClickHouse refuses it or the name.
    """
    is_writer = role is Role.WRITER
    user = settings.writer_user if is_writer else settings.reader_user
    secret = settings.writer_password if is_writer else settings.reader_password
    password = required_secret(secret, "clickhouse", f"{role}_password")
    address = f"{settings.host}:{settings.port}"
    try:
        client = clickhouse_connect.get_client(
            host=settings.host,
            port=settings.port,
            username=user,
            password=password,
            database="__default__",
            connect_timeout=_CONNECT_TIMEOUT_SECONDS,
            send_receive_timeout=answer_timeout_seconds,
            query_retries=_READ_RETRIES,
            autogenerate_session_id=False,
            client_name="clickstream",
        )
    except DatabaseError as error:
        raise _connect_error(error, user=user, address=address, role=role) from error
    client.database = settings.database
    return client


def _connect_error(error: ClickHouseError, *, user: str, address: str, role: Role) -> ClickstreamError:
    text = str(error)
    if f"Code: {_AUTHENTICATION_FAILED}" in text or f"code {_AUTHENTICATION_FAILED}" in text:
        return ClickstreamError(
            f"ClickHouse at {address} refuses the name or the password of {user}.",
            hint=f"Check CLICKSTREAM_CLICKHOUSE__{role.upper()}_USER and …_PASSWORD in the settings file.",
        )
    if isinstance(error, OperationalError):
        return ServiceUnavailableError(
            f"ClickHouse does not answer at {address}.", hint="Start the stack with `make up`."
        )
    return ServiceUnavailableError(
        f"ClickHouse at {address} answered with an error: {text}", hint="See its log with `make logs`."
    )
