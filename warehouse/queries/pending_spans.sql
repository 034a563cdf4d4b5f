-- Purpose: where there are raw rows past the progress of their origin.
-- One row per origin with such rows: the first offset that may be there and the last that is.
-- Inputs: the projection of raw_events, etl_progress.
with
    received as
    (
        select
            origin,
            max(offset) as last_offset
        from raw_events
        group by origin
    ),
    progress as
    (
        select
            origin,
            max(offset) + 1 as next_offset
        from etl_progress
        group by origin
    )
select
    received.origin as origin,
    progress.next_offset as first_offset,
    received.last_offset as last_offset
from received
left join progress on progress.origin = received.origin
where received.last_offset >= progress.next_offset
order by origin
