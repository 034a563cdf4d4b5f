"""List the days to rebuild."""

from clickstream.etl import rebuild

if "data_loader" not in globals():
    from mage_ai.data_preparation.decorators import data_loader


@data_loader
def plan_days(**variables: object) -> dict[str, list[str]]:
    """Give the days with events from `from_date` to `to_date`, both included.

    The two are variables of the pipeline, written as 2025-01-31; empty means
    the first or the last day.
    """
    return {"days": rebuild.plan_days(str(variables["from_date"]), str(variables["to_date"]))}
