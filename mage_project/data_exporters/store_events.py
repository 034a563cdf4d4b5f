"""Store each distinct event once."""

from clickstream.etl import process

if "data_exporter" not in globals():
    from mage_ai.data_preparation.decorators import data_exporter


@data_exporter
def store_events(manifest: dict[str, object]) -> dict[str, object]:
    """Write new events to `events`, and known ids to `duplicate_events`."""
    return process.store_events(manifest)
