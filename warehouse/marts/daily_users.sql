-- Purpose: who was active. One row per day, site, type of device and country.
-- Inputs: events of people on the days, the users' countries.
select
    toDate(created_at) as date,
    url_host,
    device_type,
    if(users.country = '', 'unknown', users.country) as country,
    groupUniqArray(user_id) as users_state
from events
any left join users final on users.id = events.user_id
where toDate(created_at) in {days:Array(Date)}
    and not is_bot
group by
    date,
    url_host,
    device_type,
    country
