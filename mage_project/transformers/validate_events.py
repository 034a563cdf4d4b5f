"""Decide row by row who is good, and look at the batch as a whole."""

from clickstream.etl import process

if "transformer" not in globals():
    from mage_ai.data_preparation.decorators import transformer


@transformer
def validate_events(manifest: dict[str, object]) -> dict[str, object]:
    """Run the Great Expectations suite of `expectations/` and split the rows into valid and quarantined."""
    return process.validate_events(manifest)
