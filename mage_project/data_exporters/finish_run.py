"""Close the run: from here on its rows count as processed."""

from clickstream.etl import process

if "data_exporter" not in globals():
    from mage_ai.data_preparation.decorators import data_exporter


@data_exporter
def finish_run(manifest: dict[str, object]) -> dict[str, object]:
    """Write `etl_progress` last, record the run and print what it did."""
    return process.finish_run(manifest)
