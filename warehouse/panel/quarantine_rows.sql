-- Purpose: the refused events that a filter keeps, the one received last first. One row per event, at most {limit}.
-- Inputs: as of quarantine_counts.
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
where received_at >= toDateTime64({first_date:Date}, 3, 'UTC')
    and received_at < toDateTime64({last_date:Date} + 1, 3, 'UTC')
    and ({code:String} = '' or has(reasons, {code:String}))
    and ({field:String} = '' or arrayExists(one -> one.field = {field:String}, errors))
    and ({source:String} = '' or source = {source:String})
    and ({text:String} = '' or positionCaseInsensitiveUTF8(body, {text:String}) > 0)
    and ({include_replayed:UInt8} = 1 or replayed_at is null)
order by
    received_at desc,
    origin desc,
    offset desc,
    item desc
limit {limit:UInt64}
