"""Take the raw events that no run has processed yet."""

from clickstream.etl import process

if "data_loader" not in globals():
    from mage_ai.data_preparation.decorators import data_loader


@data_loader
def load_raw_events() -> dict[str, object]:
    """Stage the rows past `etl_progress` as files and give their manifest.

    The blocks after this one hand the manifest on; it says which files hold the
    rows. Without new rows it says so, and they have nothing to do.
    """
    return process.stage_raw_events()
