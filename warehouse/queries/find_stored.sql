-- Purpose: which of some ids are stored, and under which coordinate. One row per id that is.
-- Reads the ids of all events, and the coordinates of those found. Input: events.
select
    id,
    origin,
    offset,
    item
from events
where id in {ids:Array(UInt64)}
