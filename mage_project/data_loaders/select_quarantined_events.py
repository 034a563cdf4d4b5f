"""Choose which quarantined events to try again."""

from clickstream.etl import replay

if "data_loader" not in globals():
    from mage_ai.data_preparation.decorators import data_loader


@data_loader
def select_quarantined_events(**variables: object) -> dict[str, object]:
    """Select the rows that were not replayed yet and match the variables.

    `code`, `source`, `origin` and `session` narrow the choice, empty means any;
    `fixed_file` names a file with corrected events.
    """
    return replay.select_quarantined(
        variables["code"],
        variables["source"],
        variables["fixed_file"],
        variables.get("origin", ""),
        variables.get("session", ""),
    )
