-- Purpose: which of some coordinates are erased already. One row per coordinate. Inputs: erased_events; the
-- coordinates, and their origins once more so that the key is used.
select distinct
    origin,
    offset,
    item
from erased_events
where origin in {origins:Array(String)}
    and (origin, offset, item) in {coordinates:Array(Tuple(String, UInt64, UInt32))}
