"""Say what the load did."""

from clickstream.etl import csv_load

if "data_exporter" not in globals():
    from mage_ai.data_preparation.decorators import data_exporter


@data_exporter
def report_csv_load(result: dict[str, object]) -> dict[str, object]:
    """Record the run in `etl_runs` and print what was loaded."""
    return csv_load.report_load(result)
