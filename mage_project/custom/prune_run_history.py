"""Keep Mage's own data small: a pipeline that runs every minute leaves half a million runs a year."""

from datetime import UTC, datetime

from mage_ai.data_preparation.logging.logger_manager_factory import LoggerManagerFactory
from mage_ai.data_preparation.repo_manager import get_repo_config
from mage_ai.data_preparation.variable_manager import clean_variables
from mage_ai.orchestration.db import db_connection
from mage_ai.orchestration.db.models.schedules import BlockRun, PipelineRun
from mage_ai.shared.dates import str_to_timedelta

if "custom" not in globals():
    from mage_ai.data_preparation.decorators import custom


@custom
def prune_run_history() -> dict[str, int]:
    """Delete runs, their logs and the outputs of their blocks past the project's retention period."""
    oldest_kept = datetime.now(UTC) - str_to_timedelta(get_repo_config().variables_retention_period)
    session = db_connection.session
    old_runs = session.query(PipelineRun.id).filter(PipelineRun.created_at < oldest_kept)
    blocks = session.query(BlockRun).filter(BlockRun.pipeline_run_id.in_(old_runs)).delete(False)
    runs = session.query(PipelineRun).filter(PipelineRun.created_at < oldest_kept).delete(False)
    session.commit()
    LoggerManagerFactory.get_logger_manager().delete_old_logs()
    clean_variables()
    return {"runs": runs, "blocks": blocks}
