-- Purpose: how fresh and how complete the numbers are. One row; none before anything was received.
-- Input: completeness.
select
    toUnixTimestamp64Milli(complete_through) / 1000 as complete_through,
    toUnixTimestamp64Milli(last_received_at) / 1000 as last_received,
    pending,
    unaccounted
from completeness
