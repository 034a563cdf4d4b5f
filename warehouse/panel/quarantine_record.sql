-- Purpose: one refused event. One row, or none if no refused event has this coordinate.
-- Inputs: quarantined_events; origin, offset and item of the event.
select
    source,
    origin,
    offset,
    item,
    original,
    received_at,
    body,
    reasons,
    errors,
    quarantined_at,
    replayed_at
from quarantined_events final
where origin = {origin:String}
    and offset = {offset:UInt64}
    and item = {item:UInt32}
