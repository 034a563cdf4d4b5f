-- Purpose: views and clicks of elements. One row per day, page, element and event title.
-- Input: events of people on the days.
select
    toDate(created_at) as date,
    url_path,
    element_id,
    event_title,
    countIf(type = 'view') as views_state,
    countIf(type = 'click') as clicks_state,
    uniqExactIf(session_id, type = 'view') as sessions_viewed_state,
    uniqExactIf(session_id, type = 'click') as sessions_clicked_state
from events
where toDate(created_at) in {days:Array(Date)}
    and not is_bot
group by
    date,
    url_path,
    element_id,
    event_title
