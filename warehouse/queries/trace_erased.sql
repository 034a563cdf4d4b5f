-- Purpose: which of some coordinates were erased. One row per given coordinate that was. Inputs: erased_events; the
-- coordinates, and their origins once more so that the key is used.
select
    source,
    origin,
    offset,
    item,
    received_date,
    erased_at
from erased_events final
where origin in {origins:Array(String)}
    and (origin, offset, item) in {coordinates:Array(Tuple(String, UInt64, UInt32))}
order by
    received_date,
    origin,
    offset,
    item
