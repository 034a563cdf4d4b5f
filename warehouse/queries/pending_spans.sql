-- Purpose: where there are raw rows past the progress of their origin.
-- One row per origin with such rows: the first offset that may be there and the last that is.
-- Input: pending_origins.
select
    origin,
    next_offset as first_offset,
    last_offset
from pending_origins
order by origin
