"""Stream the lines of a CSV file into `raw_events` (or its users into `users`)."""

from clickstream.etl import csv_load

if "data_exporter" not in globals():
    from mage_ai.data_preparation.decorators import data_exporter


@data_exporter
def load_csv_file(inspection: dict[str, object]) -> dict[str, object]:
    """Load every line once, in chunks, and count the lines.

    A broken line is kept with its number and stops no other.
    """
    return csv_load.load_file(inspection)
