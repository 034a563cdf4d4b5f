"""Bring the marts up to date."""

from clickstream.etl import process

if "data_exporter" not in globals():
    from mage_ai.data_preparation.decorators import data_exporter


@data_exporter
def build_marts(manifest: dict[str, object]) -> dict[str, object]:
    """Rebuild each mart for the days of this run's events, and no other."""
    return process.build_marts(manifest)
