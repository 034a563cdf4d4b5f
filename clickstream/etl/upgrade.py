"""Bringing the warehouse up to date, apart from the runs that write to it."""

from clickstream.etl.run_lock import MARTS_LOCK, held_lock
from clickstream.settings import Settings
from clickstream.storage.client import Role, connect
from clickstream.storage.migrations import migrate


def upgrade_warehouse(settings: Settings) -> list[str]:
    """Applies the migrations that are pending, and rebuilds marts and views where necessary.

    Returns:
        Names of the migrations that were applied now.

    Raises:
        ClickstreamError: A migration that was applied before has been changed since, or a run of
            `process_events` does not end.
    """
    client = connect(settings.clickhouse, Role.WRITER)
    with held_lock(client, settings.etl_locks, MARTS_LOCK):
        return migrate(client, settings.clickhouse)
