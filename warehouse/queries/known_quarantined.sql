-- Purpose: which coordinates within spans of offsets are already in quarantined_events.
-- One row per coordinate. Inputs: quarantined_events; the spans as in count_span_rows.
select distinct
    origin,
    offset,
    item
from quarantined_events
where origin in {origins:Array(String)}
    and offset between {least_offset:UInt64} and {greatest_offset:UInt64}
    and offset between
        transform(origin, {origins:Array(String)}, {first_offsets:Array(UInt64)}, 18446744073709551615)
        and transform(origin, {origins:Array(String)}, {last_offsets:Array(UInt64)}, 0)
