-- Purpose: what the pipelines did so far. One row per pipeline and status. Input: etl_runs.
select
    pipeline,
    status,
    count() as runs,
    sum(seconds) as seconds,
    sum(rows_in) as rows_in,
    sum(stored) as stored,
    sum(duplicate) as duplicate,
    sum(quarantined) as quarantined,
    sumMap(step_seconds) as step_seconds,
    toUnixTimestamp64Milli(max(ifNull(finished_at, started_at))) / 1000 as last_at
from etl_runs final
group by
    pipeline,
    status
order by
    pipeline,
    status
