-- Purpose: what was refused, and why. One row per source and error code; an event with two codes counts in both.
-- Input: quarantined_events.
select
    source,
    arrayJoin(reasons) as code,
    count() as events
from quarantined_events final
group by
    source,
    code
order by
    source,
    events desc
