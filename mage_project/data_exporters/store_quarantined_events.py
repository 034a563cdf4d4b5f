"""Keep what is not valid, with its reasons, so that it can be fixed and replayed."""

from clickstream.etl import process

if "data_exporter" not in globals():
    from mage_ai.data_preparation.decorators import data_exporter


@data_exporter
def store_quarantined_events(manifest: dict[str, object]) -> dict[str, object]:
    """Write the invalid rows to `quarantined_events`."""
    return process.store_quarantined_events(manifest)
