"""Send quarantined events through the ETL once more."""

from clickstream.etl import replay

if "data_exporter" not in globals():
    from mage_ai.data_preparation.decorators import data_exporter


@data_exporter
def replay_events(selection: dict[str, object]) -> dict[str, object]:
    """Append the rows to `raw_events` with source `replay`, and mark them.

    The next run of `process_events` takes them from there.
    """
    return replay.replay_events(selection)
