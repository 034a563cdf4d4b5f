-- Purpose: up to where each origin is read if the number of rows is limited, the oldest received first.
-- One row per origin that gets a share of the {limit} rows: the last offset of its share. Records are whole: one
-- that the limit would cut is left out, unless it is the only one.
-- An origin is read in the order of its offsets, so a row counts as received no earlier than those before it.
-- Inputs: raw_events; the spans as in count_span_rows.
with
    oldest as
    (
        select
            origin,
            offset,
            max(received_at) over (
                partition by origin
                order by offset
                rows between unbounded preceding and current row
            ) as received_by
        from raw_events
        where origin in {origins:Array(String)}
            and offset between {least_offset:UInt64} and {greatest_offset:UInt64}
            and offset between
                transform(origin, {origins:Array(String)}, {first_offsets:Array(UInt64)}, 18446744073709551615)
                and transform(origin, {origins:Array(String)}, {last_offsets:Array(UInt64)}, 0)
        order by
            received_by,
            origin,
            offset
        limit {limit:UInt64} + 1
    ),
    cut as
    (
        select
            count() > {limit:UInt64} as is_cut,
            uniqExact(origin, offset) as records,
            argMax((origin, offset), (received_by, origin, offset)) as last_record
        from oldest
    )
select
    origin,
    max(offset) as last_offset
from oldest
cross join cut
where not is_cut
    or records = 1
    or (origin, offset) != last_record
group by origin
order by origin
