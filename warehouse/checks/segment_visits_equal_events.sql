-- Purpose: the view segment_visits is what plain counting of people's events gives, to the last digit.
-- One row per row that only one of the two has: side is 1 for the view, -1 for the count.
-- Inputs: segment_visits, events, users.
select
    date,
    url_host,
    url_path,
    device_type,
    country,
    views,
    clicks,
    page_views,
    element_views,
    session_hashes,
    sum(of_view) as side
from
(
    select
        date,
        url_host,
        url_path,
        device_type,
        country,
        sum(views) as views,
        sum(clicks) as clicks,
        sum(page_views) as page_views,
        sum(element_views) as element_views,
        arraySort(groupUniqArrayArray(sessions_state)) as session_hashes,
        1 as of_view
    from segment_visits
    group by
        date,
        url_host,
        url_path,
        device_type,
        country
    union all
    select
        toDate(created_at) as date,
        coalesce(nullIf(events.url_host, ''), '(no host)') as url_host,
        url_path,
        device_type,
        coalesce(nullIf(users.country, ''), 'unknown') as country,
        countIf(type = 'view') as views,
        countIf(type = 'click') as clicks,
        countIf(type = 'view' and element_id = 'html') as page_views,
        countIf(type = 'view' and element_id != 'html') as element_views,
        arraySort(arrayDistinct(groupArray(sipHash64(session_id)))) as session_hashes,
        -1 as of_view
    from events
    left join users final on users.id = events.user_id
    where not is_bot
    group by
        date,
        url_host,
        url_path,
        device_type,
        country
)
group by
    date,
    url_host,
    url_path,
    device_type,
    country,
    views,
    clicks,
    page_views,
    element_views,
    session_hashes
having side != 0
