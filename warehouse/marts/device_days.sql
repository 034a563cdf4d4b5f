-- Purpose: use of devices. One row per day and type of device. Input: events of people on the days.
select
    toDate(created_at) as date,
    device_type,
    count() as events_state,
    uniqExact(session_id) as sessions_state,
    uniqExactState(user_id) as users_state
from events
where toDate(created_at) in {days:Array(Date)}
    and not is_bot
group by
    date,
    device_type
