-- Purpose: what is wrong among the refused events that a filter keeps. One row per source, code and field.
-- Inputs: quarantined_events; code, field, source and text, each empty for all; the first and the last day of
-- receipt; whether those that were sent again count too.
select
    source,
    error.code as code,
    error.field as field,
    count() as events
from quarantined_events final
array join errors as error
where received_at >= toDateTime64({first_date:Date}, 3, 'UTC')
    and received_at < toDateTime64({last_date:Date} + 1, 3, 'UTC')
    and ({code:String} = '' or has(reasons, {code:String}))
    and ({field:String} = '' or arrayExists(one -> one.field = {field:String}, errors))
    and ({source:String} = '' or source = {source:String})
    and ({text:String} = '' or positionCaseInsensitiveUTF8(body, {text:String}) > 0)
    and ({include_replayed:UInt8} = 1 or replayed_at is null)
group by
    source,
    code,
    field
order by
    events desc,
    source,
    code,
    field
