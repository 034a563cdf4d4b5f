-- Purpose: the runs that started last. One row per run, at most {limit}.
-- Inputs: etl_runs; the name of the pipeline and the status, empty for all.
select
    run_id,
    pipeline,
    status,
    started_at,
    finished_at,
    rows_in,
    stored,
    duplicate,
    quarantined,
    quarantined_by_code,
    warned,
    warned_by_code,
    erased,
    days_rebuilt,
    seconds,
    step_seconds,
    message
from etl_runs final
where ({pipeline:String} = '' or pipeline = {pipeline:String})
    and ({status:String} = '' or status = {status:String})
order by
    started_at desc,
    run_id
limit {limit:UInt64}
