"""Choose which quarantined events to try again."""

from clickstream.etl import replay

if "data_loader" not in globals():
    from mage_ai.data_preparation.decorators import data_loader


@data_loader
def select_quarantined_events(**variables: object) -> dict[str, object]:
    """Give the rows not replayed yet that match the pipeline's variables.

    `code` and `source` narrow the choice; `fixed_file` names a file with corrected events. Empty means any.
    """
    return replay.select_quarantined(variables["code"], variables["source"], variables["fixed_file"])
