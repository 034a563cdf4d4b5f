-- Purpose: which optional values events were stored without. One row per source, field and error code.
-- Input: event_warnings.
select
    source,
    field,
    code,
    sum(events) as events
from event_warnings
group by
    source,
    field,
    code
order by
    source,
    field,
    code
