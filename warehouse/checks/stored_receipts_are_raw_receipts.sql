-- Purpose: an event has the source and the time of receipt of its raw row. One row per event that has not.
-- Inputs: events, raw_events.
select
    events.id as id,
    events.origin as origin,
    events.offset as offset,
    events.item as item
from events
inner join raw_events on raw_events.origin = events.origin
    and raw_events.offset = events.offset
    and raw_events.item = events.item
where raw_events.source != events.source
    or raw_events.received_at != events.received_at
