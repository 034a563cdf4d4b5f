"""Keep Mage's own data small: one run a minute is half a million runs a year."""

from datetime import UTC, datetime

from mage_ai.data_preparation.logging.logger_manager import LoggerManager
from mage_ai.data_preparation.repo_manager import get_repo_config
from mage_ai.data_preparation.variable_manager import clean_variables
from mage_ai.orchestration.db import db_connection
from mage_ai.orchestration.db.models.schedules import BlockRun, PipelineRun
from mage_ai.shared.dates import str_to_timedelta

if "custom" not in globals():
    from mage_ai.data_preparation.decorators import custom


@custom
def prune_run_history() -> dict[str, int]:
    """Delete what runs left behind and is past its retention period.

    The periods are in the project's `metadata.yaml`. The record of a run stays
    as long as its log.
    """
    clean_variables()
    LoggerManager().delete_old_logs()
    retention = str_to_timedelta(get_repo_config().logging_config["retention_period"])
    old_runs = PipelineRun.query.filter(
        PipelineRun.created_at < datetime.now(UTC) - retention,
    )
    blocks_of_old_runs = BlockRun.query.filter(
        BlockRun.pipeline_run_id.in_(old_runs.with_entities(PipelineRun.id)),
    )
    deleted = {
        "block_runs": blocks_of_old_runs.delete(synchronize_session=False),
        "pipeline_runs": old_runs.delete(synchronize_session=False),
    }
    db_connection.session.commit()
    return deleted
