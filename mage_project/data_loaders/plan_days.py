"""List the days to rebuild."""

from clickstream.etl import rebuild

if "data_loader" not in globals():
    from mage_ai.data_preparation.decorators import data_loader


@data_loader
def plan_days(**variables: object) -> list[str]:
    """Give the days with events between the pipeline's variables `from_date` and `to_date`, both included."""
    return rebuild.plan_days(variables["from_date"], variables["to_date"])
