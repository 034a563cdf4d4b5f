-- Purpose: duplicates of an event that is not stored any more, the first received of each id. One row per id.
-- Inputs: duplicate_events, events.
select
    coordinate.1 as origin,
    coordinate.2 as offset,
    coordinate.3 as item
from
(
    select argMin((origin, offset, item), (received_at, origin, offset, item)) as coordinate
    from duplicate_events
    where id not in (select id from events where id in (select id from duplicate_events))
    group by id
)
