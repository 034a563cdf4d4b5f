"""Looks events up for operators, beside the event loop: the client of ClickHouse blocks."""

import asyncio
import logging
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from clickhouse_connect.driver.exceptions import ClickHouseError

from clickstream.errors import ClickstreamError
from clickstream.settings import ClickHouseSettings
from clickstream.storage.client import Role, connect
from clickstream.trace import Trace, trace_event

_log: Final = logging.getLogger(__name__)
_AT_ONCE: Final = 2
"""Few: they share a core with those who send events."""

_SECONDS: Final = 10
"""How long an operator waits, for a place and the answer together; ClickHouse may be silent for as long."""


class ClickHouseAwayError(Exception):
    """ClickHouse does not answer, or not in time."""


class Tracer:
    """Follows events, as the user that may only read."""

    def __init__(self, settings: ClickHouseSettings) -> None:
        self._settings = settings
        self._threads = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="trace")

    async def trace(self, event_id: int) -> Trace:
        """All that is known of an event.

        Raises:
            ClickHouseAwayError: It could not be asked.
        """
        try:
            async with asyncio.timeout(_SECONDS):
                return await asyncio.get_running_loop().run_in_executor(
                    self._threads, self._look_up, event_id
                )
        except (TimeoutError, ClickHouseError, ClickstreamError) as error:
            _log.warning("An event could not be followed: %s", type(error).__name__)
            raise ClickHouseAwayError from error

    def close(self) -> None:
        """Waits for nobody."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _look_up(self, event_id: int) -> Trace:
        client = connect(self._settings, Role.READER, answer_timeout_seconds=_SECONDS)
        try:
            return trace_event(client, event_id)
        finally:
            client.close()
