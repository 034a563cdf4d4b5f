-- Purpose: no coordinate is in raw_events twice. One row per coordinate that is. Input: raw_events.
select
    origin,
    offset,
    item,
    count() as rows
from raw_events
group by
    origin,
    offset,
    item
having rows > 1
