-- Purpose: beginnings and ends of sessions. One row per day, session, site,
-- type of device and country with events on it.
-- Inputs: events of people on the days, the users' countries.
select
    toDate(created_at) as date,
    sipHash64(session_id) as session_hash,
    url_host,
    device_type,
    if(users.country = '', 'unknown', users.country) as country,
    min(created_at) as first_at_state,
    max(created_at) as last_at_state,
    count() as events_state
from events
any left join users final on users.id = events.user_id
where toDate(created_at) in {days:Array(Date)}
    and not is_bot
group by
    date,
    session_hash,
    url_host,
    device_type,
    country
