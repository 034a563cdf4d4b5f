-- Purpose: the view segment_activity is what plain counting of people's events gives, to the last digit.
-- One row per row that only one of the two has: side is 1 for the view, -1 for the count.
-- Inputs: segment_activity, events, users.
select
    hour,
    url_host,
    url_path,
    element_id,
    event_title,
    device_type,
    country,
    views,
    clicks,
    page_views,
    element_views,
    sum(of_view) as side
from
(
    select
        hour,
        url_host,
        url_path,
        element_id,
        event_title,
        device_type,
        country,
        views,
        clicks,
        page_views,
        element_views,
        1 as of_view
    from segment_activity
    union all
    select
        toDateTime64(intDiv(toUnixTimestamp64Milli(created_at), 3600000) * 3600, 3, 'UTC') as hour,
        coalesce(nullIf(events.url_host, ''), '(no host)') as url_host,
        url_path,
        element_id,
        event_title,
        device_type,
        coalesce(nullIf(users.country, ''), 'unknown') as country,
        countIf(type = 'view') as views,
        countIf(type = 'click') as clicks,
        countIf(type = 'view' and element_id = 'html') as page_views,
        countIf(type = 'view' and element_id != 'html') as element_views,
        -1 as of_view
    from events
    left join users final on users.id = events.user_id
    where not is_bot
    group by
        hour,
        url_host,
        url_path,
        element_id,
        event_title,
        device_type,
        country
)
group by
    hour,
    url_host,
    url_path,
    element_id,
    event_title,
    device_type,
    country,
    views,
    clicks,
    page_views,
    element_views
having side != 0
