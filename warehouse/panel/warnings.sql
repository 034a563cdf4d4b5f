-- Purpose: which optional values could not be used. One row per source, field and code, the most frequent first.
-- Input: event_warnings, between two days of receipt.
select
    source,
    field,
    code,
    sum(events) as events_total
from event_warnings
where date between {first_date:Date} and {last_date:Date}
group by
    source,
    field,
    code
order by
    events_total desc,
    source,
    field,
    code
