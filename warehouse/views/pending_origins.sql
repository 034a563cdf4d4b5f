-- Purpose: where there are raw rows past the progress of their origin.
-- One row per origin with such rows. Inputs: the projection of raw_events, etl_progress.
create or replace view pending_origins
(
    origin String comment 'What events were read from, as in raw_events',
    next_offset UInt64 comment 'First offset that is not processed; 0 if nothing of the origin is',
    last_offset UInt64 comment 'Last offset that is stored'
)
as
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
    progress.next_offset as next_offset,
    received.last_offset as last_offset
from received
left join progress on progress.origin = received.origin
where received.last_offset >= progress.next_offset
