"""When a block of the ETL fails, leave the reason where people look for it."""

from clickstream.etl import process

if "callback" not in globals():
    from mage_ai.data_preparation.decorators import callback


@callback("failure")
def record_failure(**details: object) -> None:
    """Close the run as failed in `etl_runs`, with the block and its error."""
    process.fail_run(str(details["pipeline_uuid"]), str(details["parent_block_uuid"]), details["__error"])
