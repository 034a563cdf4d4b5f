-- Purpose: the view element_conversion is what plain counting of people's events gives, to the last digit.
-- One row per row that only one of the two has: side is 1 for the view, -1 for the count.
-- Inputs: element_conversion, events.
select
    date,
    url_path,
    element_id,
    event_title,
    views,
    clicks,
    conversion_percent,
    sessions_viewed,
    sessions_clicked,
    sum(of_view) as side
from
(
    select
        date,
        url_path,
        element_id,
        event_title,
        views,
        clicks,
        conversion_percent,
        sessions_viewed,
        sessions_clicked,
        1 as of_view
    from element_conversion
    union all
    select
        toDate(created_at) as date,
        url_path,
        element_id,
        event_title,
        countIf(type = 'view') as views,
        countIf(type = 'click') as clicks,
        if(views = 0, null, 100 * clicks / views) as conversion_percent,
        uniqExactIf(session_id, type = 'view') as sessions_viewed,
        uniqExactIf(session_id, type = 'click') as sessions_clicked,
        -1 as of_view
    from events
    where not is_bot
    group by
        date,
        url_path,
        element_id,
        event_title
)
group by
    date,
    url_path,
    element_id,
    event_title,
    views,
    clicks,
    conversion_percent,
    sessions_viewed,
    sessions_clicked
having side != 0
