-- Purpose: the rows that some replays repeat. One row per raw row. Inputs: raw_events; their coordinates, and their
-- origins once more so that the key is used.
select
    source,
    origin,
    offset,
    item,
    received_at,
    replay_of
from raw_events
where origin in {origins:Array(String)}
    and (origin, offset, item) in {coordinates:Array(Tuple(String, UInt64, UInt32))}
