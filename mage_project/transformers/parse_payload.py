"""Turn valid raw rows into the columns of an event."""

from clickstream.etl import process

if "transformer" not in globals():
    from mage_ai.data_preparation.decorators import transformer


@transformer
def parse_payload(manifest: dict[str, object]) -> dict[str, object]:
    """Give each valid row its id, device type, host, path and payload."""
    return process.parse_payload(manifest)
