-- Purpose: the first run that has built a day's marts since an event of it was stored. One row per run, at most
-- one. Inputs: etl_runs; the day, and the time since when in milliseconds since 1970.
select
    run_id,
    pipeline,
    finished_at
from etl_runs final
where status = 'succeeded'
    and has(days_rebuilt, {day:Date})
    and finished_at >= fromUnixTimestamp64Milli({since_ms:Int64}, 'UTC')
order by finished_at
limit 1
