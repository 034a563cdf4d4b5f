-- Purpose: where there are raw rows past the progress of their origin.
-- One row per origin with such rows. Inputs: the projection of raw_events, etl_progress.
--
-- The progress comes as two arrays: a join takes longer to plan, at each place that reads this view, than to run.
create or replace view pending_origins
(
    origin String comment 'What events were read from, as in raw_events',
    next_offset UInt64 comment 'First offset that is not processed; 0 if nothing of the origin is',
    last_offset UInt64 comment 'Last offset that is stored'
)
as
with
    (select (groupArray(origin), groupArray(offset + 1)) from etl_progress final) as progress
select
    origin,
    transform(origin, progress.1, progress.2, 0) as next_offset,
    max(offset) as last_offset
from raw_events
group by origin
having last_offset >= next_offset
