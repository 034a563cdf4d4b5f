"""The connection to ClickHouse: the gateway of the stack, or a server."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum, unique
from typing import Any, Final
from weakref import WeakKeyDictionary

import clickhouse_connect
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError, DatabaseError, OperationalError
from clickhouse_connect.driver.httputil import get_pool_manager_options
from urllib3 import BaseHTTPResponse, PoolManager

from clickstream.errors import ClickstreamError, ServiceUnavailableError
from clickstream.settings import ClickHouseSettings, required_secret
from clickstream.storage.sql import load_sql

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


class _NamingPool(PoolManager):
    """Sends requests, and gives each statement an id that contains its owners' names."""

    owners: tuple[str, ...] = ()

    def request(self, method: str, url: str, *arguments: Any, **options: Any) -> BaseHTTPResponse:
        """Send one request."""
        name = ".".join((*self.owners, uuid.uuid4().hex))
        named = f"{url}{'&' if '?' in url else '?'}query_id={name}"
        return super().request(method, named, *arguments, **options)


_pools: "WeakKeyDictionary[Client, _NamingPool]" = WeakKeyDictionary()


@contextmanager
def owned_statements(client: Client, owner: str) -> Iterator[None]:
    """Puts the owner's name into the id of each statement of a connection, so that others can find it.

    Blocks may be nested; a statement then carries all the names.

    Args:
        client: A connection of `connect`.
        owner: Letters, digits, `_` and `-`.
    """
    pool = _pools[client]
    before, pool.owners = pool.owners, (*pool.owners, owner)
    try:
        yield
    finally:
        pool.owners = before


def end_statements(client: Client, owner: str) -> int:
    """Ends the statements that carry an owner's name and still run, whatever became of their clients.

    Returns:
        How many there were. They may take a moment to end: ask until there are none.
    """
    parameters = {"owner": owner}
    rows = client.query(load_sql("queries/count_owned_statements"), parameters=parameters).result_rows
    running = int(rows[0][0])
    if running:
        client.command(load_sql("queries/end_owned_statements"), parameters=parameters)
    return running


def connect(
    settings: ClickHouseSettings, role: Role, *, answer_timeout_seconds: int = _ANSWER_TIMEOUT_SECONDS
) -> Client:
    """Connects as the writing or the reading user; the database need not exist yet.

    Reads that fail on the way are tried again; writes are not, since the caller knows whether it may.
    The connection has no session of its own, so a statement may be sent while the result of another is read.

    Args:
        settings: Where ClickHouse is, and its users.
        role: Which of them.
        answer_timeout_seconds: After how long without an answer a statement has failed.

    Raises:
        ServiceUnavailableError: ClickHouse does not answer.
        ClickstreamError: The password is not set, or ClickHouse refuses it or the name.
    """
    user, password = credentials(settings, role)
    # A server may queue inserts by default, and then forget their tokens (since ClickHouse 26.2).
    own_settings = {"async_insert": 0} if role is Role.WRITER else {}
    address = f"{settings.host}:{settings.port}"
    pool = _NamingPool(**get_pool_manager_options())
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
            autogenerate_query_id=False,
            client_name="clickstream",
            settings=own_settings,
            pool_mgr=pool,
        )
    except DatabaseError as error:
        raise _connect_error(error, user=user, address=address, role=role) from error
    client.database = settings.database
    _pools[client] = pool
    return client


def credentials(settings: ClickHouseSettings, role: Role) -> tuple[str, str]:
    """The name and the password of a user.

    Raises:
        ClickstreamError: The password is not set.
    """
    is_writer = role is Role.WRITER
    user = settings.writer_user if is_writer else settings.reader_user
    secret = settings.writer_password if is_writer else settings.reader_password
    return user, required_secret(secret, "clickhouse", f"{role}_password")


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
