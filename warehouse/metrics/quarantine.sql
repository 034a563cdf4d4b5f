-- Purpose: what is wrong with the events in the quarantine. One row per source and code.
-- Input: quarantined_by_code.
select
    source,
    code,
    sum(events) as events
from quarantined_by_code
group by
    source,
    code
order by
    source,
    code
