-- Purpose: what is called a duplicate has its id stored under another coordinate. One row per duplicate whose id
-- is not. Inputs: duplicate_events, events.
select
    duplicate_events.id as id,
    duplicate_events.origin as origin,
    duplicate_events.offset as offset,
    duplicate_events.item as item
from duplicate_events
left join
(
    select
        id,
        origin,
        offset,
        item,
        1 as is_stored
    from events
    where id in (select id from duplicate_events)
) as stored on stored.id = duplicate_events.id
where is_stored = 0
    or (stored.origin, stored.offset, stored.item) = (duplicate_events.origin, duplicate_events.offset, duplicate_events.item)
