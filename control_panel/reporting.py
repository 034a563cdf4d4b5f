"""Reports on loaded files that the panel makes by itself, so that the history of loads is complete.

`clickstream load --wait` makes the report on its file at once. A load that was started here ends in Mage,
and nobody waits until its events are processed.
"""

from collections.abc import Collection, Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

from clickstream.loads.history import Load
from control_panel import jobs

REPORT: Final = "report"
_PAUSE: Final = timedelta(seconds=30)
"""Between two jobs, so that one that fails is not started again and again."""


def begin_reports(loads: Collection[Load], names: Mapping[str, str]) -> None:
    """Make the reports that are missing, unless a job does so now or did so a moment ago.

    Args:
        loads: The history of loads.
        names: Names of files by the hash of their content; others keep the name that they have.
    """
    missing = [(load.sha256, names.get(load.sha256, load.name)) for load in loads if load.lacks_report]
    if not missing:
        return
    last = next(iter(jobs.list_jobs(REPORT)), None)
    if last is not None and (last.is_running or datetime.now(UTC) - last.request.asked_at < _PAUSE):
        return
    jobs.start_job(REPORT, "Reports on loaded files", {"files": missing}, "the panel", is_counted=False)
