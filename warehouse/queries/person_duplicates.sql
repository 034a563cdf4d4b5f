-- Purpose: which of some raw rows are known as duplicates. One row per coordinate. Inputs: duplicate_events; the
-- coordinates, and their origins once more so that the key is used.
select distinct
    origin,
    offset,
    item
from duplicate_events
where origin in {origins:Array(String)}
    and (origin, offset, item) in {coordinates:Array(Tuple(String, UInt64, UInt32))}
