-- Purpose: no coordinate is in events twice. One row per coordinate that is. Input: events.
select
    origin,
    offset,
    item,
    count() as rows
from events
group by
    origin,
    offset,
    item
having rows > 1
