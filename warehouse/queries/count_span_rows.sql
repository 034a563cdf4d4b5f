-- Purpose: how many raw rows lie within spans of offsets. One row per origin that has some.
-- Inputs: raw_events; the spans as three arrays of the same length, and the least and greatest offset in them.
select
    origin,
    count() as rows
from raw_events
where origin in {origins:Array(String)}
    and offset between {least_offset:UInt64} and {greatest_offset:UInt64}
    and offset between
        transform(origin, {origins:Array(String)}, {first_offsets:Array(UInt64)}, 18446744073709551615)
        and transform(origin, {origins:Array(String)}, {last_offsets:Array(UInt64)}, 0)
group by origin
