-- Purpose: views and clicks over the day. One row per hour, site, page, element, event title, type of device and country.
-- Inputs: events of people on the days, the users' countries.
select
    toDate(created_at) as date,
    toStartOfHour(created_at, 'UTC') as hour,
    url_host,
    url_path,
    element_id,
    event_title,
    device_type,
    if(users.country = '', 'unknown', users.country) as country,
    countIf(type = 'view') as views_state,
    countIf(type = 'click') as clicks_state
from events
any left join users final on users.id = events.user_id
where toDate(created_at) in {days:Array(Date)}
    and not is_bot
group by
    date,
    hour,
    url_host,
    url_path,
    element_id,
    event_title,
    device_type,
    country
