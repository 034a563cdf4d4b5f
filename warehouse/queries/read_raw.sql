-- Purpose: raw rows within spans of offsets in the order of their receipt. One row per raw row.
-- Sorts on disk past a bound, so that the memory of the engine stays flat however many rows there are.
-- Inputs: raw_events; the spans as in count_span_rows.
select
    source,
    origin,
    offset,
    item,
    received_at,
    body,
    defect,
    replay_of
from raw_events
where origin in {origins:Array(String)}
    and offset between {least_offset:UInt64} and {greatest_offset:UInt64}
    and offset between
        transform(origin, {origins:Array(String)}, {first_offsets:Array(UInt64)}, 18446744073709551615)
        and transform(origin, {origins:Array(String)}, {last_offsets:Array(UInt64)}, 0)
order by
    received_at,
    origin,
    offset,
    item
settings
    max_bytes_before_external_sort = 268435456,
    max_bytes_ratio_before_external_sort = 0
