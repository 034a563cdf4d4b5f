-- Purpose: no coordinate is in duplicate_events twice. One row per coordinate that is. Input: duplicate_events.
select
    origin,
    offset,
    item,
    count() as rows
from duplicate_events
group by
    origin,
    offset,
    item
having rows > 1
