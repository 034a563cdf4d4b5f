-- Purpose: no two sessions share a hash, by which session_days tells them apart. One row per hash that is shared.
-- Input: events.
select
    sipHash64(session_id) as session_hash,
    uniqExact(session_id) as sessions
from events
group by session_hash
having sessions > 1
