-- Purpose: visits of pages. One row per day, site, page, type of device and country.
-- Inputs: events of people on the days, the users' countries.
select
    toDate(created_at) as date,
    url_host,
    url_path,
    device_type,
    if(users.country = '', 'unknown', users.country) as country,
    countIf(type = 'view') as views_state,
    countIf(type = 'click') as clicks_state,
    groupUniqArray(sipHash64(session_id)) as sessions_state,
    countIf(type = 'view' and element_id = 'html') as page_views_state
from events
any left join users final on users.id = events.user_id
where toDate(created_at) in {days:Array(Date)}
    and not is_bot
group by
    date,
    url_host,
    url_path,
    device_type,
    country
