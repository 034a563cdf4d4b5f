-- Purpose: invalid events in the order of their receipt. One row per invalid event.
-- Sorts on disk past a bound, so that the memory of the engine stays flat.
-- Inputs: quarantined_events; code and source, each empty for all; the earliest receipt in milliseconds since
-- 1970; whether those that were replayed are wanted too.
select
    source,
    origin,
    offset,
    item,
    received_at,
    body,
    reasons,
    errors,
    quarantined_at,
    replayed_at
from quarantined_events final
where received_at >= fromUnixTimestamp64Milli({since_ms:Int64}, 'UTC')
    and ({code:String} = '' or has(reasons, {code:String}))
    and ({source:String} = '' or source = {source:String})
    and ({include_replayed:UInt8} = 1 or replayed_at is null)
order by
    received_at,
    origin,
    offset,
    item
settings
    max_bytes_before_external_sort = 268435456,
    max_bytes_ratio_before_external_sort = 0
