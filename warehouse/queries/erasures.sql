-- Purpose: erasures, the latest first. One row per erasure. Inputs: erasures; a run or a person's hash, each empty for
-- all.
select
    run_id,
    user_hash,
    started_at,
    finished_at,
    days,
    users,
    receipt
from erasures final
where ({run_id:String} = '' or run_id = {run_id:String})
    and ({user_hash:String} = '' or user_hash = {user_hash:String})
order by
    started_at desc,
    run_id
