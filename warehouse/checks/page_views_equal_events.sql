-- Purpose: the view page_views is what plain counting of people's events gives, to the last digit.
-- One row per row that only one of the two has: side is 1 for the view, -1 for the count.
-- Inputs: page_views, events.
select
    date,
    url_path,
    views,
    clicks,
    users,
    sessions,
    page_views,
    element_views,
    sum(of_view) as side
from
(
    select
        date,
        url_path,
        views,
        clicks,
        users,
        sessions,
        page_views,
        element_views,
        1 as of_view
    from page_views
    union all
    select
        toDate(created_at) as date,
        url_path,
        countIf(type = 'view') as views,
        countIf(type = 'click') as clicks,
        uniqExact(user_id) as users,
        uniqExact(session_id) as sessions,
        countIf(type = 'view' and element_id = 'html') as page_views,
        countIf(type = 'view' and element_id != 'html') as element_views,
        -1 as of_view
    from events
    where not is_bot
    group by
        date,
        url_path
)
group by
    date,
    url_path,
    views,
    clicks,
    users,
    sessions,
    page_views,
    element_views
having side != 0
