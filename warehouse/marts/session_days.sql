-- Purpose: beginnings and ends of sessions. One row per day and session with events on it.
-- Input: events of the days.
select
    toDate(created_at) as date,
    sipHash64(session_id) as session_hash,
    min(created_at) as first_at_state,
    max(created_at) as last_at_state,
    count() as events_state
from events
where toDate(created_at) in {days:Array(Date)}
group by
    date,
    session_hash
