-- Purpose: what is wrong, and how often. One row per error code; an event with two codes counts under both.
-- Inputs: quarantined_events; code and source, each empty for all; the earliest receipt in milliseconds since
-- 1970; whether those that were replayed are wanted too.
select
    code,
    count() as events
from quarantined_events final
array join reasons as code
where received_at >= fromUnixTimestamp64Milli({since_ms:Int64}, 'UTC')
    and ({code:String} = '' or has(reasons, {code:String}))
    and ({source:String} = '' or source = {source:String})
    and ({include_replayed:UInt8} = 1 or replayed_at is null)
group by code
order by
    events desc,
    code
