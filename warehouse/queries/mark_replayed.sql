-- Purpose: notes when invalid events were sent again. One row per given coordinate that is in quarantine: the
-- same row with replayed_at, which takes the place of the former.
-- Inputs: quarantined_events; the coordinates, and their origins once more so that the key is used.
insert into quarantined_events
(
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
)
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
    fromUnixTimestamp64Milli({replayed_at_ms:Int64}, 'UTC') as replayed_at
from quarantined_events final
where origin in {origins:Array(String)}
    and (origin, offset, item) in {coordinates:Array(Tuple(String, UInt64, UInt32))}
settings max_partitions_per_insert_block = 0
