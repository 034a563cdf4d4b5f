"""Compute every mart again from the stored events."""

from clickstream.etl import rebuild

if "data_exporter" not in globals():
    from mage_ai.data_preparation.decorators import data_exporter


@data_exporter
def rebuild_marts(plan: dict[str, list[str]]) -> dict[str, object]:
    """Rebuild all marts for the planned days and print what was done."""
    return rebuild.rebuild_marts(plan["days"])
