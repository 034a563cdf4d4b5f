"""What the panel reads from ClickHouse, as the reading user; the SQL is in `warehouse/panel/`."""

import threading
from typing import Any, Final

import pyarrow as pa
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError

from clickstream.errors import ClickstreamError, ServiceUnavailableError
from clickstream.settings import get_settings
from clickstream.storage.client import Role, connect
from clickstream.storage.sql import load_sql

_ANSWER_SECONDS: Final = 30
"""Questions are asked in the background, so a slow one keeps no page waiting."""

_lock = threading.Lock()
_clients: list[Client] = []


def warehouse() -> Client:
    """The panel's connection to ClickHouse, shared by all pages.

    Raises:
        ServiceUnavailableError: ClickHouse does not answer.
    """
    with _lock:
        if not _clients:
            settings = get_settings().clickhouse
            _clients.append(connect(settings, Role.READER, answer_timeout_seconds=_ANSWER_SECONDS))
        return _clients[0]


def query(name: str, **parameters: Any) -> pa.Table:
    """The rows of a file in `warehouse/panel/`, or in another folder of the warehouse.

    Args:
        name: The file's name without suffix; with its folder, unless that is `panel`.
        parameters: Values of its `{name:Type}` placeholders.

    Raises:
        ServiceUnavailableError: ClickHouse does not answer.
        ClickstreamError: It refuses the query.
    """
    client = warehouse()
    try:
        return client.query_arrow(
            load_sql(name if "/" in name else f"panel/{name}"), parameters=parameters, use_strings=True
        )
    except ClickHouseError as error:
        raise explained(error) from error


def rows(name: str, **parameters: Any) -> list[dict[str, Any]]:
    """The rows of a file in `warehouse/panel/` as dictionaries; see `query`."""
    found: list[dict[str, Any]] = query(name, **parameters).to_pylist()
    return found


def explained(error: ClickHouseError) -> ClickstreamError:
    """An error of ClickHouse as one that a person can act on."""
    settings = get_settings().clickhouse
    text = str(error)
    if "Code:" in text or "code " in text:
        return ClickstreamError(f"ClickHouse refused a query: {text[:300]}")
    return ServiceUnavailableError(
        f"ClickHouse does not answer at {settings.host}:{settings.port}.",
        hint="make status shows why. It is restarted when it fails; make up starts it if it was stopped.",
    )
